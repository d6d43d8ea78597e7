import math
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from gateway.quota.bucket import Bucket

RATES = st.floats(0.01, 10_000)
BURSTS = st.integers(1, 200)
# Pauses in calls of the rate: many at once, some close by, a few long ones.
PAUSES = st.lists(st.one_of(st.just(0.0), st.floats(0, 3), st.floats(0, 500)), max_size=200)
START = 1e6


def admitted(bucket: Bucket, arrivals: list[float]) -> list[float]:
    passed = []
    for now in arrivals:
        if not bucket.wait_s(now):
            bucket.spend(now)
            passed.append(now)
    return passed


def arrivals_of(rate: float, pauses: list[float]) -> list[float]:
    return list(accumulate((pause / rate for pause in pauses), initial=START))


@given(RATES, BURSTS, PAUSES)
def test_no_span_of_time_sees_more_than_rate_and_burst(rate: float, burst: int, pauses: list[float]) -> None:
    passed = admitted(Bucket(rate, burst), arrivals_of(rate, pauses))
    for first, begin in enumerate(passed):
        for count, end in enumerate(passed[first:], start=1):
            assert count <= rate * (end - begin + 2e-6) + burst


@given(RATES, BURSTS, PAUSES)
def test_a_call_after_the_wait_passes_and_one_before_does_not(rate: float, burst: int, pauses: list[float]) -> None:
    bucket = Bucket(rate, burst)
    for now in arrivals_of(rate, pauses):
        wait = bucket.wait_s(now)
        if wait:
            assert bucket.wait_s(now + wait) == 0
            assert bucket.wait_s(now + wait / 2) > 0 or wait < 3e-6
        else:
            bucket.spend(now)


@given(RATES, BURSTS)
def test_a_burst_passes_after_a_pause(rate: float, burst: int) -> None:
    assert len(admitted(Bucket(rate, burst), [START] * (burst + 50))) == burst


@given(RATES, BURSTS, st.integers(0, 1000))
def test_calls_noted_never_cost_more_than_an_empty_bucket(rate: float, burst: int, noted: int) -> None:
    bucket = Bucket(rate, burst)
    for _ in range(noted):
        bucket.note(START)
    left = max(burst - noted, 0)
    assert len(admitted(bucket, [START] * (burst + 50))) == left
    assert bucket.wait_s(START) <= 1 / rate + 1e-6


def test_a_change_of_rate_keeps_what_is_spent() -> None:
    bucket = Bucket(0.01, 10)
    admitted(bucket, [START] * 10)
    bucket.configure(100, 10)
    assert bucket.wait_s(START) > 0
    assert bucket.wait_s(START + 0.01) == 0
    bucket.configure(100, 12)
    assert len(admitted(bucket, [START] * 10)) == 2


def test_waits_are_exact() -> None:
    bucket = Bucket(4, 2)
    admitted(bucket, [START, START])
    assert math.isclose(bucket.wait_s(START), 0.25, abs_tol=1e-6)
    assert math.isclose(bucket.wait_s(START + 0.1), 0.15, abs_tol=1e-6)
