"""More load never needs less."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bankai.capacity.cluster import Cluster
from bankai.capacity.demand import Demand
from bankai.capacity.figures import read_figures
from bankai.capacity.prices import read_prices
from bankai.capacity.sizing import Plan, plan


def _plan(demand: Demand, cluster: Cluster) -> Plan:
    return plan(demand, read_figures(), cluster, read_prices())


numbers = st.integers(1, 1_000_000)


@given(
    demand=st.builds(Demand, numbers, numbers, numbers),
    which=st.sampled_from(["calls", "pages_per_day", "km2_per_week"]),
    more=numbers,
)
def test_more_load_never_needs_less(cluster: Cluster, demand: Demand, which: str, more: int) -> None:
    before = _plan(demand, cluster)
    after = _plan(replace(demand, **{which: getattr(demand, which) + more}), cluster)
    assert all(one.pods <= other.pods for one, other in zip(before.pods, after.pods, strict=True))
    assert before.gpu_share <= after.gpu_share
    for kind in ("mbit_per_s", "storage_gib", "cost"):
        assert all(value <= getattr(after, kind)[name] for name, value in getattr(before, kind).items())


def test_by_hand(cluster: Cluster) -> None:
    """20,000 calls, an utterance every 4 s each, are 5,000 a second; at 400 calls a pod of intent they take 50 pods."""
    needs = {pods.workload.name: pods for pods in _plan(Demand(20_000, 200_000, 5_000), cluster).pods}
    figures = {name: figure.value for name, figure in read_figures().items()}
    assert (needs["intent"].pods, needs["gateway"].pods) == (50, 20)
    per_final = figures["intent_loop_ms"] + figures["intent_model_ms"] + 2 * figures["intent_partial_ms"]
    assert needs["intent"].busy == pytest.approx(5_000 * per_final / 1000)
    assert all(pods.enough for pods in needs.values())


def test_utterances_on_triton_would_take_gpus_for_their_cores(cluster: Cluster) -> None:
    """Why components/intent-on-cores is there."""
    intent = cluster["intent"]
    settings = {**intent.settings, "BANKAI_INTENT_INFERENCE__BACKEND": "triton"}
    shared = replace(cluster, workloads={**cluster.workloads, "intent": replace(intent, settings=settings)})
    demand = Demand(20_000, 200_000, 5_000)
    apart, together = _plan(demand, cluster), _plan(demand, shared)
    assert together.pods[-1].pods > apart.pods[-1].pods
    assert together.cost["GPUs"] > apart.cost["GPUs"]
