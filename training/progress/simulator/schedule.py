"""When what is built: the course of a construction project, with its truth on any day."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.progress_monitor.meaning.stages import Stage

CLEARED_WEIGHT = 0.05
"""Progress of a building whose ground has been cleared."""
PHASES = ((0.0, 0.12), (0.12, 0.34), (0.34, 0.70), (0.70, 1.0))
"""Begin and end of clearing, foundation, structure and covering, as shares of a building's own time."""
PHASE_PROGRESS = (0.0, CLEARED_WEIGHT, 0.25, 0.65, 1.0)
"""Progress of a building at the borders of its phases."""


@dataclass(frozen=True, slots=True)
class Work:
    """One building's own time within the project's.

    Attributes:
        area: Footprint, in square metres.
        begin: Share of the project's working time at which its ground is cleared.
        end: Share at which it is covered.
    """

    area: float
    begin: float
    end: float

    def time(self, clock: float) -> float:
        """The building's own time in [0, 1] at a share of the project's working time."""
        return float(np.clip((clock - self.begin) / (self.end - self.begin), 0.0, 1.0))


@dataclass(frozen=True, slots=True)
class Stall:
    """A pause of all work.

    Attributes:
        begin: First day without work.
        days: How long.
    """

    begin: float
    days: float


@dataclass(frozen=True, slots=True)
class Schedule:
    """A project's course. Days are counted from any day zero.

    Attributes:
        start: Day on which work begins; infinite where it never does.
        days: Working days until everything is covered, without stalls.
        works: The buildings.
        paved_from: Share of the working time at which roads and yards are begun; they end with it.
        stalls: Pauses, in order.
    """

    start: float
    days: float
    works: Sequence[Work]
    paved_from: float
    stalls: Sequence[Stall] = ()

    def clock(self, day: float) -> float:
        """Share of the working time that has passed on a day, in [0, 1]."""
        worked = max(0.0, day - self.start)
        for stall in self.stalls:
            worked -= float(np.clip(day - stall.begin, 0.0, stall.days))
        return float(np.clip(worked / self.days, 0.0, 1.0)) if np.isfinite(self.start) else 0.0

    @property
    def finish(self) -> float:
        """Day on which everything is covered and paved."""
        return self.start + self.days + sum(stall.days for stall in self.stalls)

    def paved(self, day: float) -> float:
        """Share of the roads and yards that is done."""
        return float(np.clip((self.clock(day) - self.paved_from) / (1 - self.paved_from), 0.0, 1.0))

    def progress(self, day: float) -> float:
        """Progress of the whole in [0, 1]: buildings by their area, each by its phase."""
        clock = self.clock(day)
        borders = [begin for begin, _ in PHASES] + [1.0]
        done = [float(np.interp(work.time(clock), borders, PHASE_PROGRESS)) * work.area for work in self.works]
        return sum(done) / sum(work.area for work in self.works)

    def share(self, day: float, phase: int) -> float:
        """Share of the planned built area at which a phase has at least begun, in proportion to how far it went.

        Args:
            day: The day.
            phase: 0 to 3, as in `PHASES`.
        """
        clock = self.clock(day)
        begin, end = PHASES[phase]
        done = [float(np.clip((work.time(clock) - begin) / (end - begin), 0, 1)) * work.area for work in self.works]
        return sum(done) / sum(work.area for work in self.works)

    def stage(self, day: float) -> Stage:
        """The stage by the taxonomy's signs: what most of the planned area shows decides."""
        if self.clock(day) <= 0:
            return Stage.NOT_STARTED
        if self.clock(day) >= 1:
            return Stage.COMPLETE
        if self.share(day, 3) >= 0.6:
            return Stage.ENVELOPE
        if self.share(day, 2) >= 0.08:
            return Stage.STRUCTURE
        return Stage.FOUNDATION if self.share(day, 1) >= 0.05 else Stage.CLEARING


def draw_schedule(areas: Sequence[float], start: float, rng: np.random.Generator, *, stalled: bool) -> Schedule:
    """A project's course for buildings of these areas.

    Args:
        areas: Footprints, in square metres.
        start: Day on which work begins.
        rng: Source of chance.
        stalled: Whether work pauses on the way.
    """
    days = float(rng.uniform(200, 620))
    overlap = rng.uniform(0.45, 1.0)
    begins = np.sort(rng.uniform(0.0, 1.0 - overlap, len(areas))) if len(areas) > 1 else np.zeros(1)
    begins -= begins[0]
    works = [
        Work(area, float(begin), float(min(1.0, begin + overlap * rng.uniform(0.85, 1.0))))
        for area, begin in zip(areas, begins, strict=True)
    ]
    last = max(work.end for work in works)
    works = [Work(work.area, work.begin / last, work.end / last) for work in works]
    stalls: tuple[Stall, ...] = ()
    if stalled:
        pause = float(rng.uniform(120, 240))
        stalls = (Stall(start + days * float(rng.uniform(0.25, 0.75)), pause),)
    return Schedule(start, days, works, float(rng.uniform(0.55, 0.85)), stalls)
