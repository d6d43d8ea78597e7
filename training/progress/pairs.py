"""Simulated pairs of pictures to fit the multispectral change model on, drawn once and kept in a file."""

import argparse
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from services.progress_monitor.alignment.radiometry import normalised
from services.progress_monitor.site import NEAR_M
from training.progress.real_backgrounds import MixedGround, grounds
from training.progress.simulator.canvas import Canvas
from training.progress.simulator.series import Wish, draw_series

SIDE = 96
"""Pixels of a pair's side."""
_DATES = 10

_ground: MixedGround | None = None


def draw_pairs(seed: int) -> tuple[NDArray[np.float16], NDArray[np.float16], NDArray[np.uint8]]:
    """Pairs of one simulated site.

    Returns:
        (before, after, shares): reflectance [pairs, 6, SIDE, SIDE] of both, and of each pixel the share of every
        `Surface`, times 255; [pairs, 7, SIDE, SIDE].
    """
    rng = np.random.default_rng(seed)
    wish = Wish(dates=_DATES, aligned=True, started=bool(rng.random() < 0.93))
    series = draw_series(rng, wish, _ground or MixedGround([]))
    canvas = Canvas(series.layout.extent, series.sensor.gsd)
    stable = ~canvas.mask(series.layout.site.buffer(NEAR_M))
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


def _prepare() -> None:
    global _ground  # noqa: PLW0603  # one per process of the pool
    _ground = grounds()


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sites", type=int, default=900)
    parser.add_argument("--seed", type=int, default=1_000_000)
    parser.add_argument("--out", type=Path, default=Path("var/progress/pairs.npz"))
    arguments = parser.parse_args()
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    seeds = range(arguments.seed, arguments.seed + arguments.sites)
    with ProcessPoolExecutor(initializer=_prepare) as pool:
        drawn = list(track(pool.map(draw_pairs, seeds, chunksize=4), "sites", total=len(seeds)))
    before, after, shares = (np.concatenate(part) for part in zip(*drawn, strict=True))
    np.savez(arguments.out, before=before, after=after, shares=shares)


if __name__ == "__main__":
    main()
