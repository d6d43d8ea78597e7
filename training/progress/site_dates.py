"""Simulated sites seen through the service's own eyes: what it measures on every date, beside the truth."""

import argparse
import asyncio
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray
from rich.progress import track

from bankai.inference import open_backend
from bankai.settings import InferenceSettings
from services.progress_monitor.change.model import ChangeModel
from services.progress_monitor.comparison import compare
from services.progress_monitor.imagery.cutting import Chip
from services.progress_monitor.meaning.measures import FEATURES, Shown, activity, month_before
from services.progress_monitor.observation import MIN_USABLE
from services.progress_monitor.site import NEAR_M, Frame
from training.progress.real_backgrounds import MixedGround, grounds
from training.progress.simulator.canvas import Canvas
from training.progress.simulator.series import Series, Wish, draw_series

_DATES = (8, 26)
_TIMEOUT_S = 600.0

_ground: MixedGround | None = None


@dataclass(frozen=True, slots=True)
class SiteDates:
    """Dates of many sites, those of one after another; only those that count.

    Attributes:
        site: Number of the site of each date.
        day: Day of each.
        features: What was measured; [dates, FEATURES].
        usable: Share of the site that it shows.
        outside: Changed share of the ring.
        activity: Share of the site that looks otherwise than about a month before; not a number where not known.
        built: True progress since then.
        stage: True stage.
        progress: True progress.
        stall: Day on which the site's stall began and its length; zeros without one; [sites, 2].
        start: Day on which work began, infinite where it never does; [sites].
    """

    site: NDArray[np.int64]
    day: NDArray[np.float64]
    features: NDArray[np.float32]
    usable: NDArray[np.float64]
    outside: NDArray[np.float64]
    activity: NDArray[np.float64]
    built: NDArray[np.float64]
    stage: NDArray[np.int64]
    progress: NDArray[np.float64]
    stall: NDArray[np.float64]
    start: NDArray[np.float64]

    @classmethod
    def load(cls, file: Path) -> "SiteDates":
        """Reads what `main` wrote."""
        with np.load(file) as stored:
            return cls(**{name: stored[name] for name in cls.__slots__})


async def _measured(series: Series, model: ChangeModel) -> list[tuple[float, ...]]:
    canvas = Canvas(series.layout.extent, series.sensor.gsd)
    size = canvas.size - canvas.size % 2
    frame = Frame(
        site=canvas.mask(series.layout.site)[:size, :size],
        ring=~canvas.mask(shapely.buffer(series.layout.site, NEAR_M))[:size, :size],
    )
    bands = (True,) * 6
    chips = [Chip(picture.reflectance[:, :size, :size], bands, 1.0) for picture in series.pictures]
    rows = []
    days: list[float] = []
    shown: list[Shown] = []
    for picture, chip in zip(series.pictures, chips, strict=True):
        seen = await compare(chip, chips[0], frame, model, timeout=_TIMEOUT_S)
        if not seen.registration.good or seen.measures.usable < MIN_USABLE:
            continue
        looks = Shown(seen.reflectance, seen.usable)
        before = month_before(days, picture.day)
        moved = None if before is None else activity(looks, shown[before], frame.site)
        built = np.nan if before is None else picture.progress - series.schedule.progress(days[before])
        days.append(picture.day)
        shown.append(looks)
        seen_so = (seen.measures.usable, seen.measures.outside, np.nan if moved is None else moved, built)
        truth = (picture.stage, picture.progress)
        rows.append((picture.day, *seen.measures.features(), *seen_so, *truth))
    return rows


def measure_site(seed: int) -> tuple[list[tuple[float, ...]], tuple[float, float], float]:
    """One simulated site: its dates, its stall and its start."""
    rng = np.random.default_rng(seed)
    series = draw_series(rng, Wish(dates=int(rng.integers(*_DATES))), _ground or MixedGround([]))

    async def run() -> list[tuple[float, ...]]:
        backend = open_backend(InferenceSettings())
        try:
            return await _measured(series, ChangeModel(backend))
        finally:
            await backend.close()

    stalls = series.schedule.stalls
    stall = (stalls[0].begin, stalls[0].days) if stalls and np.isfinite(series.schedule.start) else (0.0, 0.0)
    return asyncio.run(run()), stall, series.schedule.start


def _prepare(held_out: bool) -> None:  # noqa: FBT001  # called by the pool, which knows no names
    global _ground  # noqa: PLW0603  # one per process of the pool
    _ground = grounds(held_out=held_out)


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sites", type=int, default=400)
    parser.add_argument("--seed", type=int, default=2_000_000)
    parser.add_argument("--held-out", action="store_true", help="over the cities that no model is fitted on")
    parser.add_argument("--out", type=Path, default=Path("var/progress/sites.npz"))
    arguments = parser.parse_args()
    seeds = range(arguments.seed, arguments.seed + arguments.sites)
    with ProcessPoolExecutor(initializer=_prepare, initargs=(arguments.held_out,)) as pool:
        found = list(track(pool.map(measure_site, seeds), "sites", total=len(seeds)))
    dates = np.array([(number, *row) for number, (rows, _, _) in enumerate(found) for row in rows])
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    features = dates[:, 2 : 2 + FEATURES]
    usable, outside, moved, built, stage, progress = dates[:, 2 + FEATURES :].T
    np.savez(
        arguments.out,
        site=dates[:, 0].astype(int),
        day=dates[:, 1],
        features=features.astype(np.float32),
        usable=usable,
        outside=outside,
        activity=moved,
        built=built,
        stage=stage.astype(int),
        progress=progress,
        stall=np.array([stall for _, stall, _ in found]),
        start=np.array([start for _, _, start in found]),
    )


if __name__ == "__main__":
    main()
