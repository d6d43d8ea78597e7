"""Simulated pairs of pictures to fit the multispectral change model on, drawn once and kept in a file."""

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from services.progress_monitor.alignment.radiometry import normalised
from training.progress.real_backgrounds import MixedGround, read_cities
from training.progress.simulator.canvas import Canvas
from training.progress.simulator.series import Wish, draw_series

SIDE = 96
"""Pixels of a pair's side."""
HIDDEN = 6
"""Class of what cloud, shadow or snow hides, beside those of `Surface`."""
_DATES = 10

_ground: MixedGround | None = None


def draw_pairs(seed: int) -> tuple[NDArray[np.float16], NDArray[np.float16], NDArray[np.uint8]]:
    """Pairs of one simulated site.

    Returns:
        (before, after, shares): reflectance [pairs, 6, SIDE, SIDE] of both, and of each pixel the share of every
        surface and of `HIDDEN`, times 255; [pairs, 7, SIDE, SIDE].
    """
    rng = np.random.default_rng(seed)
    wish = Wish(dates=_DATES, aligned=True, started=bool(rng.random() < 0.93))
    series = draw_series(rng, wish, _ground) if _ground else draw_series(rng, wish)
    canvas = Canvas(series.layout.extent, series.sensor.gsd)
    stable = ~canvas.mask(series.layout.site.buffer(30))
    first = series.pictures[0]
    before, after, truth = [], [], []
    for picture in series.pictures[1:]:
        pixels = normalised(picture.reflectance, first.reflectance, stable & (picture.unusable < 0.1))
        shares = np.concatenate((picture.shares_seen * (1 - picture.unusable), picture.unusable[None]))
        size = pixels.shape[1]
        if size < SIDE:
            fill = [(0, 0), (0, SIDE - size), (0, SIDE - size)]
            cuts = [np.pad(layer, fill, mode="reflect") for layer in (first.reflectance, pixels, shares)]
        else:
            top, left = (int(rng.integers(0, size - SIDE + 1)) for _ in range(2))
            cuts = [layer[:, top : top + SIDE, left : left + SIDE] for layer in (first.reflectance, pixels, shares)]
        before.append(cuts[0])
        after.append(cuts[1])
        truth.append(np.round(cuts[2] * 255))
    return np.array(before, np.float16), np.array(after, np.float16), np.array(truth, np.uint8)


def _with_cities(folder: Path | None) -> None:
    global _ground  # noqa: PLW0603  # one per process of the pool
    if folder is not None:
        _ground = MixedGround(list(read_cities(folder).values()))


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sites", type=int, default=900)
    parser.add_argument("--seed", type=int, default=1_000_000)
    parser.add_argument("--out", type=Path, default=Path("var/progress/pairs.npz"))
    parser.add_argument("--cities", type=Path, default=public_folder("oscd_s2"), help="folder of real pictures")
    arguments = parser.parse_args()
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    seeds = range(arguments.seed, arguments.seed + arguments.sites)
    with ProcessPoolExecutor(initializer=_with_cities, initargs=(arguments.cities,)) as pool:
        drawn = list(track(pool.map(draw_pairs, seeds, chunksize=4), "sites", total=len(seeds)))
    before, after, shares = (np.concatenate(part) for part in zip(*drawn, strict=True))
    np.savez(arguments.out, before=before, after=after, shares=shares)


def public_folder(name: str) -> Path | None:
    """A public data set below the folder that BANKAI_PUBLIC_DATA names; None without one."""
    root = os.environ.get("BANKAI_PUBLIC_DATA")
    return Path(root) / name if root else None


if __name__ == "__main__":
    main()
