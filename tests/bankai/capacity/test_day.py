"""A day: nothing is lost, and what overloads shows."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bankai.capacity.cluster import Cluster
from bankai.capacity.costs import costs_of
from bankai.capacity.day import Course, simulate_day
from bankai.capacity.demand import Demand
from bankai.capacity.figures import read_figures
from bankai.capacity.live import Live, Pods
from bankai.capacity.profile import Day

MORNING = Day(batch_at=1.0, pass_at=0.5, outage_at=0.5, outage=0.5)


def _pass(cluster: Cluster, demand: Demand, hours: float = 2.0) -> Course:
    course = simulate_day(demand, read_figures(), cluster, MORNING, hours=hours)
    for name, tally in course.tallies.items():
        assert tally.arrived == pytest.approx(tally.served + tally.refused + tally.waiting), name
    return course


def test_all_is_served_and_pods_come_and_go(cluster: Cluster) -> None:
    course = _pass(cluster, Demand(5_000, 5_000, 500))
    assert all(tally.refused == 0 for tally in course.tallies.values())
    assert course.ended["sites"] is not None
    pods = [moment.pods["intent"] for moment in course.moments]
    assert min(pods) == cluster["intent"].least < max(pods)
    assert pods[-1] < max(pods)


def test_too_few_pods_refuse(cluster: Cluster) -> None:
    """What comes beyond what the most pods can do is refused, and counted."""
    intent = replace(cluster["intent"], most=3)
    course = _pass(replace(cluster, workloads={**cluster.workloads, "intent": intent}), Demand(20_000, 1_000, 10), 1.0)
    assert course.tallies["final segments"].refused > 0
    assert max(moment.wait_s for moment in course.moments) > 1


def test_batches_make_pods(cluster: Cluster) -> None:
    """Nobody waits in flight for a batch: CPU must tell of it. At a target of 75 % of two cores it did not."""
    demand = Demand(100, 20_000, 1)
    before = replace(
        cluster["doc-extract"],
        cores=2.0,
        targets=[replace(each, value=0.75) if each.kind == "cpu" else each for each in cluster["doc-extract"].targets],
    )
    blind = replace(cluster, workloads={**cluster.workloads, "doc-extract": before})
    most = [max(moment.pods["doc-extract"] for moment in _pass(each, demand).moments) for each in (cluster, blind)]
    assert most[0] > most[1] == before.least


@given(st.lists(st.tuples(st.integers(1, 12), st.floats(0, 2_000)), min_size=1, max_size=12))
def test_calls_and_utterances_are_conserved(cluster: Cluster, steps: list[tuple[int, float]]) -> None:
    demand = Demand(20_000, 1, 1)
    live = Live(demand, costs_of(demand, read_figures(), cluster), cluster["gateway"], cluster["intent"])
    for pods, arriving in steps:
        live.resize(pods, pods)
        assert live.step(5.0, arriving) >= 0
        assert float(live.gateway.calls.sum()) == pytest.approx(float(live.intent.calls.sum()))
        for tally in (live.calls, live.finals):
            assert tally.arrived == pytest.approx(tally.served + tally.waiting + tally.refused)


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=10), st.floats(0, 5000))
def test_calls_go_to_those_who_have_fewest(calls: list[float], arriving: float) -> None:
    pods = Pods(np.array(calls), np.zeros(len(calls)))
    pods.level(arriving)
    assert float(pods.calls.sum()) == pytest.approx(sum(calls) + arriving)
    raised = pods.calls > np.array(calls) + 1e-9
    if raised.any():
        assert float(pods.calls[raised].max()) <= float(pods.calls.min()) + 1e-6
