"""Simulated sites seen through the service's own eyes: what it measures on every date, beside the truth."""

import argparse
import asyncio
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from bankai.inference import open_backend
from bankai.settings import InferenceSettings
from services.progress_monitor.change.model import ChangeModel
from services.progress_monitor.change.work import Shown
from services.progress_monitor.evaluation.progress import Look, looks_of
from services.progress_monitor.meaning.measures import Measures
from services.progress_monitor.project import DAY_S
from services.progress_monitor.site import Site
from services.progress_monitor.site_files import read_site
from training.progress.pieces import Pieces
from training.progress.real_backgrounds import MixedGround, grounds
from training.progress.simulator.series import Series, Wish, draw_series
from training.progress.write_series import DAY_ZERO, metres, write_series

_DATES = (8, 26)
_EVERY = 4

_ground: MixedGround | None = None


@dataclass(frozen=True, slots=True)
class SiteDates:
    """One site on the dates that count. Days are counted as the simulator does.

    Attributes:
        site: Pixels of the site; [rows, columns].
        day: Day of each date.
        reflectance: Aligned and normalised to the reference; [dates, 6, pixels of the site].
        surfaces: The most probable `Surface`; [dates, pixels].
        usable: Whether it shows the ground; [dates, pixels].
        pieces: True `Piece`; [dates, pixels].
        seen: Share of the site that shows the ground, and changed share of the ring; [dates, 2].
        shares: As `Measures.shares`; [dates, 6].
        certain: As `Measures.certain`; [dates, 6].
        stage: True stage.
        progress: True progress.
        stall: Day on which the site's stall began and its length; zeros without one.
        start: Day on which work began, infinite where it never does.
        worked: Days of work that had been done; [dates].
    """

    site: NDArray[np.bool_]
    day: NDArray[np.float64]
    reflectance: NDArray[np.float16]
    surfaces: NDArray[np.uint8]
    usable: NDArray[np.bool_]
    pieces: NDArray[np.int8]
    seen: NDArray[np.float64]
    shares: NDArray[np.float64]
    certain: NDArray[np.float64]
    stage: NDArray[np.int64]
    progress: NDArray[np.float64]
    stall: NDArray[np.float64]
    start: float
    worked: NDArray[np.float64]

    @classmethod
    def load(cls, file: Path) -> "SiteDates":
        """Reads what `save` wrote."""
        with np.load(file) as stored:
            return cls(**{name: stored[name][()] for name in cls.__slots__})

    def save(self, file: Path) -> None:
        """Writes the site."""
        np.savez_compressed(file, **{name: getattr(self, name) for name in self.__slots__})

    def looks(self) -> list[Look]:
        """The dates as the service knows them."""
        return [self._look(number) for number in range(len(self.day))]

    def _look(self, number: int) -> Look:
        reflectance = np.zeros((len(self.reflectance[number]), *self.site.shape), np.float32)
        surfaces, usable = np.zeros(self.site.shape, np.uint8), np.zeros(self.site.shape, bool)
        reflectance[:, self.site] = self.reflectance[number]
        surfaces[self.site], usable[self.site] = self.surfaces[number], self.usable[number]
        seen, outside = self.seen[number]
        measures = Measures(float(seen), tuple(self.shares[number]), tuple(self.certain[number]), float(outside))
        return Look(float(self.day[number]) * DAY_S, measures, Shown(reflectance, surfaces, usable))


def held_back(sites: Sequence[SiteDates]) -> list[SiteDates]:
    """Every fourth site: on these is chosen what is chosen."""
    return list(sites[::_EVERY])


def fitted_on(sites: Sequence[SiteDates]) -> list[SiteDates]:
    """The others: on these the networks are fitted."""
    return [site for number, site in enumerate(sites) if number % _EVERY]


def read_sites(folders: Sequence[Path]) -> list[SiteDates]:
    """The sites of folders that `main` wrote."""
    return [SiteDates.load(file) for folder in folders for file in sorted(folder.glob("*.npz"))]


def measure_site(seed: int, *, stalled: bool) -> SiteDates:
    """One simulated site.

    Args:
        seed: Of everything in it.
        stalled: Whether its work pauses for certain; drawn otherwise.
    """
    rng = np.random.default_rng(seed)
    dates = int(rng.integers(*_DATES))
    wish = Wish(dates=dates, started=True, stalled=True) if stalled else Wish(dates=dates)
    series = draw_series(rng, wish, _ground or MixedGround([]))
    with TemporaryDirectory() as folder:
        write_series(series, Path(folder))
        return asyncio.run(_measured(series, Path(folder)))


async def _measured(series: Series, folder: Path) -> SiteDates:
    site = read_site(folder)
    backend = open_backend(InferenceSettings())
    try:
        frame, looks = await looks_of(site, ChangeModel(backend))
    finally:
        await backend.close()
    truth = {each.time: each for each in site.truth}
    rows, columns = np.nonzero(frame.site)
    grid = Site.of(site.aoi).grid
    right, down = (np.asarray((each + 0.5) * grid.gsd, np.float64) for each in (columns, rows))
    pieces = Pieces.of(series.layout, *metres(grid.left + right, grid.top - down))
    days = [look.day - DAY_ZERO.timestamp() / DAY_S for look in looks]
    schedule = series.schedule
    stalls = schedule.stalls if np.isfinite(schedule.start) else ()
    return SiteDates(
        site=frame.site,
        day=np.array(days),
        reflectance=np.stack([look.shown.reflectance[:, frame.site] for look in looks]).astype(np.float16),
        surfaces=np.stack([look.shown.surfaces[frame.site] for look in looks]),
        usable=np.stack([look.shown.usable[frame.site] for look in looks]),
        pieces=np.stack([pieces.on(day, schedule) for day in days]),
        seen=np.array([(look.measures.usable, look.measures.outside) for look in looks]),
        shares=np.array([look.measures.shares for look in looks]),
        certain=np.array([look.measures.certain for look in looks]),
        stage=np.array([int(truth[look.time].stage) for look in looks]),
        progress=np.array([truth[look.time].progress for look in looks], np.float64),
        stall=np.array((stalls[0].begin, stalls[0].days) if stalls else (0.0, 0.0)),
        start=schedule.start,
        worked=np.array([schedule.clock(day) * schedule.days for day in days]),
    )


def _prepare(held_out: bool) -> None:  # noqa: FBT001  # called by the pool, which knows no names
    global _ground  # noqa: PLW0603  # one per process of the pool
    _ground = grounds(held_out=held_out)


def _save(seed: int, stalled: bool, folder: Path) -> None:  # noqa: FBT001  # as above
    measure_site(seed, stalled=stalled).save(folder / f"{seed}.npz")


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sites", type=int, default=400)
    parser.add_argument("--seed", type=int, default=2_000_000)
    parser.add_argument("--stalled", action="store_true", help="sites whose work pauses, all of them")
    parser.add_argument("--held-out", action="store_true", help="over the cities that no model is fitted on")
    parser.add_argument("--out", type=Path, default=Path("var/progress/sites"))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(initializer=_prepare, initargs=(arguments.held_out,)) as pool:
        seeds = range(arguments.seed, arguments.seed + arguments.sites)
        jobs = [pool.submit(_save, seed, arguments.stalled, arguments.out) for seed in seeds]
        for job in track(jobs, "sites"):
            job.result()


if __name__ == "__main__":
    main()
