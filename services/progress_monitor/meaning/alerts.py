"""What is wrong with a project, each with the least evidence on which it is said."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from services.progress_monitor.change.work import month_before, quarter_before
from services.progress_monitor.meaning.measures import Measures
from services.progress_monitor.meaning.stages import Stage
from services.progress_monitor.meaning.states import Belief
from services.progress_monitor.observation import Observation, Status
from services.progress_monitor.project import DAY_S, Plan

NOT_STARTED_GRACE_DAYS = 30.0
"""Days after the planned start before its lack is an alert; at least two pictures since then must agree."""
RESTED_SHARE = 0.03
"""Share of the site, built on over a quarter and half of that in its usual month, below which work has rested."""
BEHIND_POINTS = 0.05
"""How far the whole interval must lie below the plan."""
AHEAD_POINTS = 0.10
"""How far the whole interval must lie above the claim."""
OUTSIDE_SHARE = 0.04
"""Changed share of the ring that is work outside the site; two pictures in a row must show it."""
CLEAR_IMAGE_DAYS = 60.0
"""Days without a picture that counts."""
_SURE = 0.8
_PROBABLY = 0.5
_NEARLY_DONE = 0.95
"""Progress from which little is left to be seen from above."""


class AlertKind(StrEnum):
    """What is wrong; ids of the taxonomy."""

    NOT_STARTED_LATE = "not_started_late"
    STALLED = "stalled"
    BEHIND_PLAN = "behind_plan"
    AHEAD_OF_CLAIM = "ahead_of_claim"
    WORK_OUTSIDE_SITE = "work_outside_site"
    NO_CLEAR_IMAGE = "no_clear_image"
    IMAGE_REPLAYED = "image_replayed"
    REGISTRATION_FAILED = "registration_failed"


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that is wrong.

    Attributes:
        kind: What.
        message: In words.
        since: Since when, by the pictures; seconds since 1970.
        observations: Ids of the pictures that it stands on.
    """

    kind: AlertKind
    message: str
    since: float
    observations: Sequence[str]


@dataclass(frozen=True, slots=True)
class Case:
    """What alerts are judged on.

    Attributes:
        plan: The planned course.
        as_of: Seconds since 1970.
        every: All pictures up to then, in order of acquisition.
        used: Those that count.
        beliefs: What is believed of each of those.
    """

    plan: Plan
    as_of: float
    every: Sequence[Observation]
    used: Sequence[Observation]
    beliefs: Sequence[Belief]


def alerts(case: Case) -> list[Alert]:
    """Everything that is wrong."""
    judges = (_not_started_late, _stalled, _behind_plan, _ahead_of_claim, _outside, _no_clear_image)
    found = [alert for judge in judges if (alert := judge(case)) is not None]
    return found + _doubtful(case)


def stalled_since(days: Sequence[float], measures: Sequence[Measures], beliefs: Sequence[Belief]) -> int | None:
    """Number of the date since which work has rested; None where it does not.

    Args:
        days: Day of every date.
        measures: What was measured on each.
        beliefs: What is believed of each.
    """
    since: list[int | None] = []
    for number, belief in enumerate(beliefs):
        first = _rested_from(days[: number + 1], measures[: number + 1])
        if first is None or not _begun(beliefs[first]) or not _under_way(belief):
            since.append(None)
            continue
        # A rest that was seen before, and that this one touches, is the same rest.
        since.append(min([first, *(begun for begun in since[first:] if begun is not None)]))
    return since[-1]


def _rested_from(days: Sequence[float], measures: Sequence[Measures]) -> int | None:
    """Number of the date a quarter before the last since which hardly anything was built; None where much was."""
    first = quarter_before(days[:-1], days[-1])
    quarter = measures[-1].worked_quarter
    if first is None or quarter is None:
        return None
    months = []
    for number in range(first + 1, len(days)):
        before, share = month_before(days[:number], days[number]), measures[number].worked_month
        if before is not None and before >= first and share is not None:
            months.append(share)
    usual = float(np.median(months)) if months else 0.0
    return first if quarter + usual / 2 < RESTED_SHARE else None


def _begun(belief: Belief) -> bool:
    return bool(belief.stages[Stage.NOT_STARTED] < _PROBABLY)


def _under_way(belief: Belief) -> bool:
    return _begun(belief) and bool(belief.stages[Stage.COMPLETE] < _PROBABLY) and belief.progress < _NEARLY_DONE


def _not_started_late(case: Case) -> Alert | None:
    start = case.plan.start
    if start is None or not case.beliefs or case.beliefs[-1].stages[Stage.NOT_STARTED] < _SURE:
        return None
    since = [each for each in case.used if each.acquired >= start + NOT_STARTED_GRACE_DAYS * DAY_S]
    if len(since) < 2:
        return None
    late = (since[-1].acquired - start) / DAY_S
    message = f"work was planned to begin {late:.0f} days before the last picture, and has not"
    return Alert(AlertKind.NOT_STARTED_LATE, message, start, [each.id for each in since])


def _stalled(case: Case) -> Alert | None:
    if not case.beliefs:
        return None
    days = [each.acquired / DAY_S for each in case.used]
    number = stalled_since(days, [each.measures for each in case.used], case.beliefs)
    if number is None:
        return None
    rested = days[-1] - days[number]
    message = f"no progress seen for {rested:.0f} days, at {case.beliefs[-1].progress:.0%}"
    return Alert(AlertKind.STALLED, message, case.used[number].acquired, [each.id for each in case.used[number:]])


def _behind_plan(case: Case) -> Alert | None:
    if not case.beliefs:
        return None
    planned = case.plan.progress(case.used[-1].acquired)
    _, high = case.beliefs[-1].interval()
    if planned is None or high >= planned - BEHIND_POINTS:
        return None
    message = f"at most {high:.0%} is done where {planned:.0%} was planned"
    return Alert(AlertKind.BEHIND_PLAN, message, case.used[-1].acquired, [case.used[-1].id])


def _ahead_of_claim(case: Case) -> Alert | None:
    due = [each for each in case.plan.drawdowns if each.claimed > 0 and each.time <= case.as_of]
    if not due or not case.beliefs:
        return None
    claim = max(due, key=lambda each: each.time)
    low, _ = case.beliefs[-1].interval()
    if low <= claim.claimed + AHEAD_POINTS:
        return None
    message = f"at least {low:.0%} is done where the borrower claims {claim.claimed:.0%}"
    return Alert(AlertKind.AHEAD_OF_CLAIM, message, case.used[-1].acquired, [case.used[-1].id])


def _outside(case: Case) -> Alert | None:
    last = case.used[-2:]
    if len(last) < 2 or min(each.measures.outside for each in last) < OUTSIDE_SHARE:
        return None
    share = float(np.mean([each.measures.outside for each in last]))
    message = f"{share:.0%} of the ring around the site has changed as by building"
    return Alert(AlertKind.WORK_OUTSIDE_SITE, message, last[0].acquired, [each.id for each in last])


def _no_clear_image(case: Case) -> Alert | None:
    last = case.used[-1].acquired if case.used else None
    if last is not None and case.as_of - last <= CLEAR_IMAGE_DAYS * DAY_S:
        return None
    since = last if last is not None else case.as_of
    hidden = [each.id for each in case.every if each.acquired > since and each.status is Status.OBSCURED]
    message = (
        f"the last picture that shows the site is {(case.as_of - last) / DAY_S:.0f} days old"
        if last is not None
        else "no picture shows the site"
    )
    return Alert(AlertKind.NO_CLEAR_IMAGE, message, since, hidden)


def _doubtful(case: Case) -> list[Alert]:
    kinds = {Status.REPLAYED: AlertKind.IMAGE_REPLAYED, Status.NOT_REGISTERED: AlertKind.REGISTRATION_FAILED}
    return [
        Alert(kinds[each.status], each.reason, each.acquired, [each.id]) for each in case.every if each.status in kinds
    ]
