"""Calls on one machine: what must hold whatever chance does."""

import pytest

from bankai.capacity.calls import CallCosts, CallLoad, simulate

COSTS = CallCosts(gateway=0.0004, loop=0.001, model=0.0023, gateway_partial=0.0002, loop_partial=0.0007)


@pytest.mark.parametrize("partials", [0, 2])
def test_cores_used_are_what_the_work_costs(partials: int) -> None:
    outcome = simulate(CallLoad(200, 4.0, partials, seconds=20), COSTS, cores=2)
    per_s = len(outcome.waits) / outcome.seconds
    assert per_s == pytest.approx(50, rel=0.1)
    intent = per_s * (COSTS.loop + COSTS.model + partials * COSTS.loop_partial)
    assert outcome.cores("intent") == pytest.approx(intent, rel=0.1)
    assert outcome.cores("gateway") == pytest.approx(
        per_s * (COSTS.gateway + partials * COSTS.gateway_partial), rel=0.1
    )


def test_nothing_is_lost_and_queues_grow_beyond_what_the_cores_can_do() -> None:
    few, many = (simulate(CallLoad(calls, 1.0, seconds=5), COSTS, cores=1) for calls in (50, 400))
    for outcome in (few, many):
        assert outcome.arrived == len(outcome.waits) + outcome.waiting
    assert few.waiting < 5
    assert many.waiting > 100  # 400 a second are asked for, 270 can be done
    assert sum(many.waits) / len(many.waits) > 10 * sum(few.waits) / len(few.waits)
