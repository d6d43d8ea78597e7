"""The autoscaler decides as Kubernetes' documentation says, by its own examples.

https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/
"""

import math
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bankai.capacity.autoscaler import SYNC_S, Autoscaler, Policy, Rules, Usage, desired

ANY = Rules(0, [Policy(percent=True, value=100_000, period_s=15)])
NOW = Rules(0, [Policy(percent=True, value=100, period_s=15)])


@pytest.mark.parametrize(
    ("pods", "value", "target", "wanted"),
    [
        (4, 0.2, 0.1, 8),  # "200m" of "100m": doubled, since 200.0 / 100.0 = 2.0
        (4, 0.05, 0.1, 2),  # "50m": halved, since 50.0 / 100.0 = 0.5
        (4, 0.11, 0.1, 4),  # within the tolerance of 0.1
        (4, 0.09, 0.1, 4),
        (4, 0.1101, 0.1, 5),
        (3, 0.09, 0.05, 6),  # 60 % over what is wanted, and rounded up: ceil(3 * 1.8)
    ],
)
def test_the_formula(pods: int, value: float, target: float, wanted: int) -> None:
    assert desired(pods, Usage(value, target)) == wanted


def test_pods_without_metrics_dampen() -> None:
    """They count as idle on the way up and as at their target on the way down."""
    assert desired(4, Usage(2.0, 1.0)) == 8
    assert desired(4, Usage(2.0, 1.0, missing=1)) == 6  # (3 * 2 + 0) / 4 = 1.5
    assert desired(4, Usage(1.4, 1.0, missing=1)) == 4  # 1.05: the direction is lost in the tolerance
    assert desired(4, Usage(1.2, 1.0, missing=2)) == 4  # 0.6 would turn it around
    assert desired(4, Usage(0.2, 1.0, missing=2)) == 3  # (2 * 0.2 + 2) / 4 = 0.6
    assert desired(4, Usage(9.0, 1.0, missing=4)) == 4


def test_down_by_the_documented_policies() -> None:
    """Of 4 pods or 10 % a minute: from 80 to 72 to 64 ..., and 4 at a time below 40."""
    policies = [Policy(percent=False, value=4, period_s=60), Policy(percent=True, value=10, period_s=60)]
    scaler = Autoscaler(10, 100, ANY, Rules(0, policies))
    course = [80]
    for minute in range(14):
        course.append(scaler.decide(60.0 * minute, course[-1], [Usage(0.01, 1.0)]))
    assert course[:3] == [80, 72, 64]
    steps = [before - after for before, after in pairwise(course)]
    assert all(step == 4 for before, step in zip(course, steps, strict=False) if before <= 40 and before - 4 >= 10)
    assert all(step == math.ceil(before / 10) for before, step in zip(course, steps, strict=False) if before > 40)
    assert course[-1] == 10


def test_up_by_the_documented_policy() -> None:
    """Of 900 % a minute: 1, 10, 100, 1000 (KEP-853)."""
    scaler = Autoscaler(1, 1000, Rules(0, [Policy(percent=True, value=900, period_s=60)]), ANY)
    course = [1]
    for minute in range(3):
        course.append(scaler.decide(60.0 * minute, course[-1], [Usage(100, 1)]))
    assert course == [1, 10, 100, 1000]


def test_what_was_added_in_the_period_counts() -> None:
    """Twice 15 s are one period of 30 s: the second decision may not double again."""
    up = Rules(0, [Policy(percent=True, value=100, period_s=30), Policy(percent=False, value=2, period_s=30)])
    scaler = Autoscaler(1, 100, up, ANY)
    assert scaler.decide(0, 3, [Usage(10, 1)]) == 6
    assert scaler.decide(15, 6, [Usage(10, 1)]) == 6
    assert scaler.decide(30, 6, [Usage(10, 1)]) == 12


def test_down_waits_for_the_window() -> None:
    scaler = Autoscaler(1, 100, ANY, Rules(300, NOW.policies))
    assert scaler.decide(0, 10, [Usage(1, 1)]) == 10
    assert [scaler.decide(at, 10, [Usage(0.5, 1)]) for at in (15, 150, 299)] == [10, 10, 10]
    assert scaler.decide(300, 10, [Usage(0.5, 1)]) == 5


def test_the_metric_that_asks_for_most_decides() -> None:
    assert Autoscaler(1, 100, NOW, NOW).decide(0, 4, [Usage(0.5, 1), Usage(1.5, 1)]) == 6


policies = st.lists(
    st.builds(
        Policy, percent=st.booleans(), value=st.integers(1, 100), period_s=st.sampled_from([15.0, 30.0, 60.0, 120.0])
    ),
    min_size=1,
    max_size=2,
)
rules = st.builds(Rules, window_s=st.sampled_from([0.0, 60.0, 600.0]), policies=policies)


@given(up=rules, down=rules, loads=st.lists(st.floats(0, 200), min_size=1, max_size=40))
def test_bounds_hold(up: Rules, down: Rules, loads: list[float]) -> None:
    scaler, pods = Autoscaler(2, 20, up, down), 2
    for number, load in enumerate(loads):
        after = scaler.decide(number * SYNC_S, pods, [Usage(load / pods, 5)])
        assert 2 <= after <= 20
        pods = after


@given(st.integers(1, 100), st.floats(0.01, 50), st.floats(0.01, 50), st.integers(0, 20))
def test_more_load_never_asks_for_fewer(pods: int, one: float, other: float, missing: int) -> None:
    less, more = sorted((one, other))
    usage = Usage(less, 5, min(missing, pods))
    assert desired(pods, usage) <= desired(pods, replace(usage, value=more))
