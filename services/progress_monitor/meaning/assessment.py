"""How far a project is, and whether a drawdown should be paid. Times are seconds since 1970."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from services.progress_monitor.meaning.alerts import CLEAR_IMAGE_DAYS, Alert, AlertKind, Case, alerts
from services.progress_monitor.meaning.stages import Stage
from services.progress_monitor.meaning.states import Belief
from services.progress_monitor.observation import Observation
from services.progress_monitor.project import DAY_S, Drawdown, Plan

_RECENT_DAYS = 150.0
_SLOWEST = 2e-4
"""Progress per day below which no finish is foretold: it would be more than ten years away."""
_NEARLY = 0.97
_SHORTFALL = 0.10
"""How far the lower end of the interval may lie below what a drawdown requires."""
_BLOCKING = (AlertKind.STALLED, AlertKind.IMAGE_REPLAYED, AlertKind.NOT_STARTED_LATE)


@dataclass(frozen=True, slots=True)
class Assessment:
    """How far a project was.

    Attributes:
        as_of: As of when.
        belief: What is believed of the last picture that counts; None without one.
        not_started_until: Last picture on which work had not begun; None where it had on the first.
        started_by: First picture on which it had; None where it has not.
        speed: Progress per day, of late.
        finish: When it will be done at that speed, or was; None where it does not move.
        planned: Planned progress on the day of the last picture; None without a plan.
        days_ahead: Days ahead of the plan; None without a plan.
        alerts: What is wrong.
        observations: Pictures up to then.
        used: Those that count.
    """

    as_of: float
    belief: Belief | None
    not_started_until: float | None
    started_by: float | None
    speed: float
    finish: float | None
    planned: float | None
    days_ahead: float | None
    alerts: Sequence[Alert]
    observations: Sequence[Observation]
    used: Sequence[Observation]


class Decision(StrEnum):
    """What to do about a drawdown."""

    PASS = "pass"  # noqa: S105  # no password
    HOLD = "hold"
    NO_EVIDENCE = "no_evidence"


@dataclass(frozen=True, slots=True)
class DrawdownCheck:
    """What to do about a drawdown.

    Attributes:
        decision: What.
        reasons: Why, the weightiest first.
    """

    decision: Decision
    reasons: Sequence[str]


def assess(
    plan: Plan,
    as_of: float,
    observations: Sequence[Observation],
    used: Sequence[Observation],
    beliefs: Sequence[Belief],
) -> Assessment:
    """Says how far a project was.

    Args:
        plan: The planned course.
        as_of: As of when.
        observations: Pictures up to then, in order of acquisition.
        used: Those that count.
        beliefs: What is believed of each of those.
    """
    found = alerts(Case(plan, as_of, observations, used, beliefs))
    if not beliefs:
        return Assessment(as_of, None, None, None, 0.0, None, None, None, found, observations, used)
    begun = _first_begun(beliefs)
    planned = plan.progress(used[-1].acquired)
    reached = plan.time_of(beliefs[-1].progress)
    speed = _speed(used, beliefs)
    return Assessment(
        as_of=as_of,
        belief=beliefs[-1],
        not_started_until=used[begun - 1].acquired if begun > 0 else None,
        started_by=used[begun].acquired if begun < len(used) else None,
        speed=speed,
        finish=_finish(used, beliefs, speed),
        planned=planned,
        days_ahead=(reached - used[-1].acquired) / DAY_S if reached is not None and planned is not None else None,
        alerts=found,
        observations=observations,
        used=used,
    )


def check_drawdown(drawdown: Drawdown, assessment: Assessment) -> DrawdownCheck:
    """Decides about a drawdown. In doubt it is held: a late payment costs less than a lost one."""
    belief = assessment.belief
    if belief is None:
        return DrawdownCheck(Decision.NO_EVIDENCE, ["no picture shows the site"])
    age = (assessment.as_of - assessment.used[-1].acquired) / DAY_S
    if age > CLEAR_IMAGE_DAYS:
        return DrawdownCheck(
            Decision.NO_EVIDENCE,
            [f"the last picture that shows the site is {age:.0f} days old; at most {CLEAR_IMAGE_DAYS:.0f} are allowed"],
        )
    low, high = belief.interval()
    seen = f"progress is {belief.progress:.0%} (80 % interval {low:.0%} to {high:.0%})"
    reasons = []
    if belief.progress < drawdown.required:
        reasons.append(f"{seen}; {drawdown.required:.0%} is required")
    elif low < drawdown.required - _SHORTFALL:
        reasons.append(f"{seen}; it is too uncertain that {drawdown.required:.0%} has been reached")
    if drawdown.claimed > high:
        reasons.append(f"the borrower claims {drawdown.claimed:.0%}; {seen}")
    reasons += [f"{alert.kind.value}: {alert.message}" for alert in assessment.alerts if alert.kind in _BLOCKING]
    if reasons:
        return DrawdownCheck(Decision.HOLD, reasons)
    return DrawdownCheck(Decision.PASS, [f"{seen}; {drawdown.required:.0%} is required"])


def _first_begun(beliefs: Sequence[Belief]) -> int:
    """Number of the first date on which work had begun; the number of dates where it has not."""
    return next((number for number, each in enumerate(beliefs) if each.stages[Stage.NOT_STARTED] < 0.5), len(beliefs))


def _speed(used: Sequence[Observation], beliefs: Sequence[Belief]) -> float:
    """Progress per day over the last months, by least squares."""
    days = np.array([each.acquired / DAY_S for each in used])
    values = np.array([each.progress for each in beliefs])
    recent = days >= days[-1] - _RECENT_DAYS
    if recent.sum() < 2 or float(np.ptp(days[recent])) < 1:
        return 0.0
    return max(0.0, float(np.polyfit(days[recent] - days[-1], values[recent], 1)[0]))


def _finish(used: Sequence[Observation], beliefs: Sequence[Belief], speed: float) -> float | None:
    if beliefs[-1].stage is Stage.COMPLETE:
        return next(one.acquired for one, each in zip(used, beliefs, strict=True) if each.stage is Stage.COMPLETE)
    if speed < _SLOWEST:
        return None
    return used[-1].acquired + max(0.0, _NEARLY - beliefs[-1].progress) / speed * DAY_S
