from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bankai.drift.psi import psi

counts = st.lists(st.integers(0, 10_000), min_size=1, max_size=60)


def test_by_hand() -> None:
    # With many counts the pseudo count does not show: (0.6 - 0.5) * ln(0.6 / 0.5) + (0.4 - 0.5) * ln(0.4 / 0.5).
    assert psi([500_000, 500_000], [600_000, 400_000]) == pytest.approx(0.018232 + 0.022314, abs=1e-5)


@given(counts, st.integers(1, 20))
def test_zero_for_the_same_distribution_whatever_its_size(expected: list[int], times: int) -> None:
    assert psi(expected, expected) == 0
    large = [1000 + count for count in expected]
    assert psi(large, [count * times for count in large]) == pytest.approx(0, abs=1e-3)


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 10_000)), min_size=1, max_size=60))
def test_never_negative_and_the_same_both_ways(pairs: list[tuple[int, int]]) -> None:
    one, other = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    assert psi(one, other) >= 0
    assert psi(one, other) == pytest.approx(psi(other, one))


@settings(max_examples=20)
@given(st.integers(0, 2**32), st.integers(3, 40))
def test_chance_alone_stays_near_its_mean(seed: int, bins: int) -> None:
    """Yurdakul and Naranjo: (bins - 1) * (1/n + 1/m) times a chi-square variable's share of its degrees of freedom."""
    random = Random(seed)
    one = [0] * bins
    other = [0] * bins
    for drawn, number in ((one, 1289), (other, 2000)):
        for _ in range(number):
            drawn[random.randrange(bins)] += 1
    assert psi(one, other) < 20 * (bins - 1) * (1 / 1289 + 1 / 2000)


@given(st.integers(2, 60), st.integers(100, 10_000))
def test_far_above_the_alarm_where_another_class_takes_over(bins: int, number: int) -> None:
    assert psi([number] * bins, [number * bins] + [0] * (bins - 1)) > 0.2
