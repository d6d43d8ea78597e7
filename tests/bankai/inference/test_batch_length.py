"""Which requests run together: the rule that Triton's dynamic batcher follows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bankai.inference.batching import batch_length
from bankai.inference.config import BatchPolicy


def _policy(*preferred: int, most: int = 8, delay: float = 0.0) -> BatchPolicy:
    return BatchPolicy(max_rows=most, preferred_rows=preferred or (most,), max_delay=delay)


@pytest.mark.parametrize(
    ("rows", "policy", "length"),
    [
        ([1], _policy(), 1),
        ([1] * 5, _policy(), 5),
        ([1] * 20, _policy(), 8),
        ([3, 3, 3], _policy(), 2),
        ([8, 8], _policy(), 1),
        # The largest preferred size that the queue offers; the rest goes with the next run.
        ([1] * 7, _policy(2, 4), 4),
        ([1] * 3, _policy(2, 4), 2),
        ([1] * 20, _policy(2, 4), 4),
        # None to be had: what is there.
        ([1], _policy(2, 4), 1),
        ([3], _policy(2, 4), 1),
        ([3, 6], _policy(2, 4), 1),
    ],
)
def test_without_a_delay_something_always_runs(rows: list[int], policy: BatchPolicy, length: int) -> None:
    assert batch_length(rows, 0.0, policy) == length


@pytest.mark.parametrize(
    ("rows", "age", "length"),
    [
        ([1], 0.0, 0),
        ([1] * 3, 0.009, 0),
        ([1] * 3, 0.01, 3),
        ([1] * 4, 0.0, 4),
        ([1] * 5, 0.0, 4),
        ([1] * 5, 0.01, 5),
        ([3, 6], 0.0, 1),
    ],
)
def test_with_a_delay_it_waits_for_a_preferred_size(rows: list[int], age: float, length: int) -> None:
    assert batch_length(rows, age, _policy(4, delay=0.01)) == length


def test_without_dynamic_batching_each_runs_alone() -> None:
    assert batch_length([1, 1, 1], 0.0, None) == 1


@given(
    rows=st.lists(st.integers(1, 8), min_size=1, max_size=20),
    preferred=st.sets(st.integers(1, 8), min_size=1),
    delay=st.sampled_from([0.0, 0.01]),
    age=st.sampled_from([0.0, 0.005, 0.01, 1.0]),
)
def test_a_batch_fits_and_nothing_waits_for_ever(
    rows: list[int], preferred: set[int], delay: float, age: float
) -> None:
    policy = _policy(*sorted(preferred), delay=delay)
    length = batch_length(rows, age, policy)
    assert 0 <= length <= len(rows)
    assert sum(rows[:length]) <= policy.max_rows
    if length == 0:
        assert age < delay
