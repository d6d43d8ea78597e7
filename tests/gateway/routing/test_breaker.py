import pytest

from bankai.errors import UnavailableError
from gateway.routing.breaker import Breaker, State
from gateway.routing.model import BreakerRules
from tests.gateway.routing.clock import Clock

RULES = BreakerRules(failure_share=0.5, min_calls=10, window_s=10, open_s=2)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(RULES, clock)


def ended(breaker: Breaker, *, good: int = 0, failed: int = 0) -> None:
    for _ in range(good):
        breaker.record(failed=False)
    for _ in range(failed):
        breaker.record(failed=True)


def state(breaker: Breaker) -> State:
    return breaker.state


def open_for(breaker: Breaker) -> float:
    with pytest.raises(UnavailableError) as caught:
        breaker.admit()
    assert caught.value.reason == "BACKEND_CIRCUIT_OPEN"
    assert caught.value.retry_after is not None
    return caught.value.retry_after


def test_few_failures_open_nothing(breaker: Breaker) -> None:
    ended(breaker, failed=9)
    breaker.admit()
    assert state(breaker) is State.CLOSED


def test_a_small_share_of_failures_opens_nothing(breaker: Breaker) -> None:
    ended(breaker, good=20, failed=19)
    assert state(breaker) is State.CLOSED


def test_it_opens_at_the_share_and_says_until_when(breaker: Breaker) -> None:
    ended(breaker, good=5, failed=5)
    assert state(breaker) is State.OPEN
    assert open_for(breaker) == 2.0


def test_old_failures_do_not_count(breaker: Breaker, clock: Clock) -> None:
    ended(breaker, failed=9)
    clock.passes(11)
    ended(breaker, failed=1)
    assert state(breaker) is State.CLOSED


def test_good_probes_close_it(breaker: Breaker, clock: Clock) -> None:
    ended(breaker, failed=10)
    clock.passes(2)
    assert state(breaker) is State.HALF_OPEN
    for _ in range(3):
        breaker.admit()
        open_for(breaker)  # one probe at a time
        breaker.record(failed=False)
        clock.passes(0.2)
    assert state(breaker) is State.CLOSED
    breaker.admit()
    ended(breaker, failed=9)
    assert state(breaker) is State.CLOSED, "it counts anew"


def test_a_failed_probe_opens_it_for_longer(breaker: Breaker, clock: Clock) -> None:
    ended(breaker, failed=10)
    for open_s in (2, 4, 8, 16, 32, 60, 60):
        assert open_for(breaker) == open_s
        clock.passes(open_s)
        breaker.admit()
        breaker.record(failed=True)


def test_a_probe_that_never_ends_does_not_hold_it(breaker: Breaker, clock: Clock) -> None:
    ended(breaker, failed=10)
    clock.passes(2)
    breaker.admit()
    clock.passes(0.2)
    breaker.admit()


def test_calls_that_end_while_it_is_open_change_nothing(breaker: Breaker) -> None:
    ended(breaker, failed=10)
    ended(breaker, good=100)
    assert state(breaker) is State.OPEN
