"""A financed project: site, plan, drawdowns. Times are seconds since 1970."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bankai.requests import invalid

DAY_S = 86_400.0

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_MOST = 500


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Planned progress on a date.

    Attributes:
        time: Seconds since 1970.
        progress: In [0, 1].
    """

    time: float
    progress: float


@dataclass(frozen=True, slots=True)
class Milestone:
    """A date that the plan names.

    Attributes:
        name: For people.
        time: Seconds since 1970.
        progress: In [0, 1].
    """

    name: str
    time: float
    progress: float


@dataclass(frozen=True, slots=True)
class Drawdown:
    """A payment that depends on progress.

    Attributes:
        id: The bank's own id.
        time: When it is due, seconds since 1970.
        required: Progress that must have been reached.
        claimed: Progress that the borrower claims; 0 where nothing is claimed.
    """

    id: str
    time: float
    required: float
    claimed: float


@dataclass(frozen=True, slots=True)
class Plan:
    """The planned course.

    Attributes:
        curve: In order of time, progress never falling; may be empty.
        milestones: Dates that the plan names.
        drawdowns: Payments that depend on progress.
    """

    curve: tuple[CurvePoint, ...] = ()
    milestones: tuple[Milestone, ...] = ()
    drawdowns: tuple[Drawdown, ...] = ()

    def progress(self, time: float) -> float | None:
        """Planned progress at a time, linear between the points; None without a curve."""
        if not self.curve:
            return None
        return float(np.interp(time, [point.time for point in self.curve], [point.progress for point in self.curve]))

    def time_of(self, progress: float) -> float | None:
        """When the plan first reaches a progress; None where it never does."""
        if not self.curve or progress > self.curve[-1].progress:
            return None
        for before, after in zip(self.curve, self.curve[1:], strict=False):
            if before.progress <= progress <= after.progress and after.progress > before.progress:
                share = (progress - before.progress) / (after.progress - before.progress)
                return before.time + share * (after.time - before.time)
        return self.curve[0].time

    @property
    def start(self) -> float | None:
        """When work is planned to begin: the last point at which nothing is done."""
        idle = [point.time for point in self.curve if point.progress <= 0]
        return idle[-1] if idle else (self.curve[0].time if self.curve else None)


@dataclass(frozen=True, slots=True)
class Project:
    """A project as it is kept.

    Attributes:
        id: The bank's own id.
        name: For people.
        aoi: The site as GeoJSON in WGS 84.
        plan: The planned course.
        created: When it was registered.
        area_m2: Area of the site.
    """

    id: str
    name: str
    aoi: str
    plan: Plan
    created: float
    area_m2: float

    def drawdown(self, drawdown_id: str) -> Drawdown | None:
        """The drawdown of an id."""
        return next((each for each in self.plan.drawdowns if each.id == drawdown_id), None)


def check_project(project_id: str, name: str, plan: Plan) -> None:
    """Refuses a project that cannot be kept.

    Raises:
        InvalidRequestError: PROJECT_ID_INVALID, NAME_INVALID, PLAN_INVALID, MILESTONE_INVALID or DRAWDOWN_INVALID.
    """
    if not _ID.fullmatch(project_id):
        raise invalid("PROJECT_ID_INVALID", "project.project_id", 'must be 1 to 64 of A-Z, a-z, 0-9, "-", "_", "."')
    if len(name) > 128 or not name.isprintable():
        raise invalid("NAME_INVALID", "project.name", "must have at most 128 printable characters")
    if max(len(plan.curve), len(plan.milestones), len(plan.drawdowns)) > _MOST:
        raise invalid(
            "PLAN_INVALID", "project.plan", f"must have at most {_MOST} points, milestones and drawdowns each"
        )
    for number, (before, after) in enumerate(zip(plan.curve, plan.curve[1:], strict=False)):
        if after.time <= before.time or after.progress < before.progress:
            what = "must come after the point before, with no less progress"
            raise invalid("PLAN_INVALID", f"project.plan[{number + 1}]", what)
    _check_shares("PLAN_INVALID", "project.plan", [point.progress for point in plan.curve])
    _check_shares("MILESTONE_INVALID", "project.milestones", [each.progress for each in plan.milestones])
    _check_shares("DRAWDOWN_INVALID", "project.drawdowns", [each.required for each in plan.drawdowns])
    _check_shares("DRAWDOWN_INVALID", "project.drawdowns", [each.claimed for each in plan.drawdowns])
    ids = [each.id for each in plan.drawdowns]
    if len(set(ids)) != len(ids) or not all(_ID.fullmatch(each) for each in ids):
        raise invalid("DRAWDOWN_INVALID", "project.drawdowns", "must have ids like a project's, each another")


def _check_shares(reason: str, field: str, values: Sequence[float]) -> None:
    for number, value in enumerate(values):
        if not 0 <= value <= 1:  # also refuses what is not a number
            raise invalid(reason, f"{field}[{number}]", "must have a progress from 0 to 1")
