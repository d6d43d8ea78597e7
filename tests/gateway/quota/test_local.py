from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bankai.errors import ExhaustedError
from gateway.policy.model import ChannelLimits
from gateway.quota.local import LocalCalls
from tests.gateway.quota.time import DAY_S, Time


def local(time: Time, share: float = 1.0, **limits: Any) -> LocalCalls:
    return LocalCalls("ivr", ChannelLimits.model_validate(limits), share, time.clock)


def take(calls: LocalCalls, time: Time, times: int) -> int:
    """How many of so many calls at once are let in."""
    passed = 0
    for _ in range(times):
        try:
            calls.take(time.clock.monotonic())
        except ExhaustedError:
            continue
        passed += 1
    return passed


def refusal(calls: LocalCalls, time: Time) -> ExhaustedError:
    with pytest.raises(ExhaustedError) as caught:
        calls.take(time.clock.monotonic())
    return caught.value


@pytest.mark.parametrize(
    ("limits", "burst"),
    [
        ({"calls_per_s": 5}, 5),
        ({"calls_per_s": 0.2}, 1),
        ({"calls_per_s": 2.5}, 2),
        ({"calls_per_s": 5, "burst": 20}, 20),
    ],
)
def test_burst(limits: dict[str, Any], burst: int) -> None:
    time = Time()
    assert take(local(time, **limits), time, 100) == burst


def test_the_day_ends_at_midnight_of_utc() -> None:
    time = Time()
    calls = local(time, calls_per_day=10)
    assert take(calls, time, 20) == 10
    time.passed = 1800
    error = refusal(calls, time)
    assert error.reason == "DAILY_QUOTA_EXHAUSTED"
    assert error.retry_after == pytest.approx(1800)
    time.passed = 3599.9
    assert take(calls, time, 1) == 0
    time.passed = 3600
    assert take(calls, time, 20) == 10
    time.passed += DAY_S
    assert take(calls, time, 20) == 10


@given(
    st.lists(st.one_of(st.just(0.0), st.floats(0, 5), st.floats(0, 0.5 * DAY_S)), max_size=60),
    st.integers(1, 5),
    st.none() | st.floats(1e-5, 10),
)
def test_no_day_sees_more_than_its_calls_and_a_call_after_the_delay_passes(
    pauses: list[float], per_day: int, per_s: float | None
) -> None:
    time = Time()
    calls = local(time, calls_per_day=per_day, calls_per_s=per_s)
    days: dict[int, int] = {}
    for pause in pauses:
        time.passed += pause
        try:
            calls.take(time.clock.monotonic())
        except ExhaustedError as error:
            time.passed += (error.retry_after or 0) + 1e-6  # sums of doubles; on the wire delays are rounded up
            calls.take(time.clock.monotonic())
        day = int(time.clock.wall() // DAY_S)
        days[day] = days.get(day, 0) + 1
    assert all(count <= per_day for count in days.values())


def test_a_refused_call_costs_nothing_of_the_other_limit() -> None:
    time = Time()
    calls = local(time, calls_per_s=1, calls_per_day=3)
    assert take(calls, time, 10) == 1  # nine were refused for the rate
    time.passed = 1
    assert take(calls, time, 1) == 1
    time.passed = 2
    assert take(calls, time, 1) == 1
    assert refusal(calls, time).reason == "DAILY_QUOTA_EXHAUSTED"
    for _ in range(10):
        refusal(calls, time)  # which costs no token of the rate
    time.passed = 3600
    assert take(calls, time, 1) == 1


def test_a_share_of_every_limit() -> None:
    time = Time()
    assert take(local(time, 0.25, calls_per_s=10, burst=40), time, 100) == 10
    assert take(local(time, 0.25, calls_per_s=10, burst=1), time, 100) == 1
    assert take(local(time, 1 / 3, calls_per_day=100), time, 100) == 34


def test_what_redis_says_of_the_day_counts() -> None:
    time = Time()
    calls = local(time, 0.5, calls_per_day=100)
    calls.told(left=20, ends_at=time.clock.monotonic() + 3600, reported=0)
    assert take(calls, time, 100) == 10
    assert calls.to_report(time.clock.monotonic()) == 10
    take(calls, time, 1)
    calls.told(left=8, ends_at=time.clock.monotonic() + 3600, reported=10)
    assert take(calls, time, 100) == 4
    time.passed = 3600
    assert calls.to_report(time.clock.monotonic()) == 0  # those were yesterday's
    assert take(calls, time, 100) == 50


def test_other_limits_keep_what_is_counted() -> None:
    time = Time()
    calls = local(time, calls_per_day=10)
    assert take(calls, time, 8) == 8
    calls.configure(ChannelLimits(calls_per_day=12))
    assert take(calls, time, 10) == 4
    calls.configure(ChannelLimits(calls_per_s=2))
    assert take(calls, time, 10) == 2
    calls.configure(ChannelLimits(calls_per_s=4, burst=2))
    assert take(calls, time, 10) == 0
    calls.configure(ChannelLimits())
    assert take(calls, time, 10) == 10
