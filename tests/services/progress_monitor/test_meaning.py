from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.progress_monitor.alignment.registration import Registration
from services.progress_monitor.imagery.sensors import Sensor
from services.progress_monitor.meaning.alerts import AlertKind, Case, alerts
from services.progress_monitor.meaning.assessment import Decision, assess, check_drawdown
from services.progress_monitor.meaning.measures import Measures
from services.progress_monitor.meaning.stages import Stage
from services.progress_monitor.meaning.states import LEVELS, Belief
from services.progress_monitor.observation import Observation, Status
from services.progress_monitor.project import DAY_S, CurvePoint, Drawdown, Plan

PLAN = Plan((CurvePoint(0, 0.0), CurvePoint(100 * DAY_S, 0.0), CurvePoint(500 * DAY_S, 1.0)))


def observed(
    day: float, status: Status = Status.USED, outside: float = 0.0, worked: float | None = None
) -> Observation:
    return Observation(
        id=f"o{day:g}",
        project_id="p",
        acquired=day * DAY_S,
        created=0.0,
        sensor=Sensor.SENTINEL2_L2A,
        sha256="",
        fingerprint="0" * 16,
        bands=(True,) * 6,
        status=status,
        reason="why" if status is not Status.USED else "",
        registration=Registration(0, 0, 0, 1),
        measures=Measures(1.0, (1.0, *[0.0] * 5), (1.0, *[0.0] * 5), outside, worked, worked),
        haze=0.0,
        reference_id="o0",
        model_version="1",
    )


def believed(day: float, stage: Stage, progress: float) -> Belief:
    stages = np.zeros(len(Stage))
    stages[stage] = 1.0
    levels = np.zeros(LEVELS)
    levels[round(progress * (LEVELS - 1))] = 1.0
    return Belief(day, stages, levels)


def case(
    *dates: tuple[float, Stage, float],
    plan: Plan = PLAN,
    as_of: float | None = None,
    outside: float = 0.0,
    worked: Sequence[float | None] = (),
) -> Case:
    shares = [*worked, *[None] * (len(dates) - len(worked))]
    used = [observed(day, outside=outside, worked=share) for (day, *_), share in zip(dates, shares, strict=True)]
    beliefs = [believed(*date) for date in dates]
    return Case(plan, (as_of if as_of is not None else dates[-1][0]) * DAY_S, used, used, beliefs)


def kinds(judged: Case) -> set[AlertKind]:
    return {alert.kind for alert in alerts(judged)}


S = Stage


def test_all_well() -> None:
    good = case((0, S.NOT_STARTED, 0.0), (150, S.CLEARING, 0.1), (300, S.STRUCTURE, 0.5), (480, S.ENVELOPE, 0.94))
    assert kinds(good) == set()


def test_not_started_late_needs_two_pictures_after_the_grace() -> None:
    assert AlertKind.NOT_STARTED_LATE not in kinds(case((0, S.NOT_STARTED, 0.0), (140, S.NOT_STARTED, 0.0)))
    assert AlertKind.NOT_STARTED_LATE in kinds(case((135, S.NOT_STARTED, 0.0), (140, S.NOT_STARTED, 0.0)))


def stalled(days: Sequence[float], worked: Sequence[float | None], stage: Stage = S.STRUCTURE) -> bool:
    dates = [(195.0, S.STRUCTURE, 0.4), *((day, stage, 0.4) for day in days)]
    return AlertKind.STALLED in kinds(case(*dates, worked=(None, *worked)))


def test_a_stall_needs_ninety_days_and_three_pictures() -> None:
    assert stalled((240, 286), (0.0, 0.0))
    assert not stalled((240, 284), (0.0, 0.0))
    assert not stalled((286,), (0.0,))


def test_a_stall_needs_that_hardly_anything_was_built() -> None:
    assert not stalled((240, 286), (0.0, 0.05))
    assert not stalled((240, 270, 286), (0.06, 0.06, 0.02))  # each month had its work
    assert not stalled((240, 286), (0.0, None))


def test_what_has_not_begun_or_is_done_does_not_rest() -> None:
    assert not stalled((240, 286), (0.0, 0.0), S.COMPLETE)
    idle = ((100.0, S.NOT_STARTED, 0.0), (150.0, S.NOT_STARTED, 0.0), (195.0, S.CLEARING, 0.02))
    assert AlertKind.STALLED not in kinds(case(*idle, worked=(None, 0.0, 0.0)))


def test_a_stall_that_goes_on_keeps_its_beginning() -> None:
    dates = [(float(day), S.STRUCTURE, 0.4) for day in (0, 50, 100, 150, 200)]
    found = next(
        alert for alert in alerts(case(*dates, worked=(None, 0.0, 0.0, 0.0, 0.0))) if alert.kind is AlertKind.STALLED
    )
    assert found.since == 0.0
    assert len(found.observations) == 5


def test_behind_plan_and_ahead_of_claim() -> None:
    assert AlertKind.BEHIND_PLAN in kinds(case((0, S.NOT_STARTED, 0.0), (400, S.STRUCTURE, 0.5)))
    claimed = Plan(PLAN.curve, (), (Drawdown("D1", 300 * DAY_S, 0.4, 0.3),))
    assert AlertKind.AHEAD_OF_CLAIM in kinds(case((0, S.NOT_STARTED, 0.0), (400, S.STRUCTURE, 0.76), plan=claimed))


def test_work_outside_needs_two_pictures_in_a_row() -> None:
    assert AlertKind.WORK_OUTSIDE_SITE in kinds(case((0, S.NOT_STARTED, 0.0), (20, S.NOT_STARTED, 0.0), outside=0.2))
    assert AlertKind.WORK_OUTSIDE_SITE not in kinds(case((0, S.NOT_STARTED, 0.0), outside=0.2))


def test_doubtful_pictures_are_alerts() -> None:
    every = [observed(0), observed(10, Status.REPLAYED), observed(20, Status.NOT_REGISTERED)]
    found = alerts(Case(Plan(), 30 * DAY_S, every, every[:1], [believed(0, S.NOT_STARTED, 0.0)]))
    assert [alert.kind for alert in found] == [AlertKind.IMAGE_REPLAYED, AlertKind.REGISTRATION_FAILED]


def test_no_clear_image() -> None:
    assert AlertKind.NO_CLEAR_IMAGE in kinds(case((0, S.NOT_STARTED, 0.0), as_of=61))
    assert AlertKind.NO_CLEAR_IMAGE in kinds(Case(Plan(), 0.0, [], [], []))


@pytest.mark.parametrize(
    ("progress", "claimed", "as_of", "decision"),
    [
        (0.6, 0.0, 310, Decision.PASS),
        (0.4, 0.0, 310, Decision.HOLD),
        (0.6, 0.8, 310, Decision.HOLD),
        (0.6, 0.0, 400, Decision.NO_EVIDENCE),
    ],
)
def test_drawdowns(progress: float, claimed: float, as_of: float, decision: Decision) -> None:
    judged = case((0, S.NOT_STARTED, 0.0), (200, S.FOUNDATION, 0.2), (300, S.STRUCTURE, progress), as_of=as_of)
    found = assess(judged.plan, judged.as_of, judged.every, judged.used, judged.beliefs)
    check = check_drawdown(Drawdown("D1", 0.0, 0.5, claimed), found)
    assert check.decision is decision
    assert check.reasons


def test_without_pictures_there_is_no_evidence() -> None:
    found = assess(PLAN, DAY_S, [], [], [])
    assert check_drawdown(Drawdown("D1", 0.0, 0.5, 0.0), found).decision is Decision.NO_EVIDENCE
    assert found.belief is None


def test_start_speed_and_finish() -> None:
    judged = case((0, S.NOT_STARTED, 0.0), (100, S.CLEARING, 0.02), (200, S.STRUCTURE, 0.3), (300, S.STRUCTURE, 0.6))
    found = assess(judged.plan, judged.as_of, judged.every, judged.used, judged.beliefs)
    assert (found.not_started_until, found.started_by) == (0.0, 100 * DAY_S)
    assert found.speed == pytest.approx(0.003, rel=0.05)
    assert found.finish is not None
    assert found.finish / DAY_S == pytest.approx(300 + 0.37 / 0.003, rel=0.05)
    assert found.days_ahead == pytest.approx(340 - 300)


@given(st.lists(st.tuples(st.floats(0.01, 100), st.floats(0, 0.2)), min_size=1, max_size=10), st.floats(0, 1))
def test_a_plan_reaches_what_it_says_when_it_says(steps: list[tuple[float, float]], share: float) -> None:
    times, values = np.cumsum([step for step, _ in steps]), np.clip(np.cumsum([gain for _, gain in steps]), 0, 1)
    plan = Plan(tuple(CurvePoint(float(time), float(value)) for time, value in zip(times, values, strict=True)))
    wanted = float(values[0] + share * (values[-1] - values[0]))
    when = plan.time_of(wanted)
    if when is not None:
        assert plan.progress(when) == pytest.approx(wanted, abs=1e-6)
