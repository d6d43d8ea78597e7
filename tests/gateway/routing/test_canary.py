import pytest

from gateway.routing.canary import CanaryWatch
from gateway.routing.model import CanaryRules
from tests.gateway.routing.clock import Clock

RULES = CanaryRules(release="next", percent=10, min_calls=50, max_error_share=0.05, max_p95_ratio=2, window_s=60)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watch(clock: Clock) -> CanaryWatch:
    return CanaryWatch("toy.v1.Canary", RULES, clock)


def calls(
    watch: CanaryWatch, clock: Clock, count: int, *, failed: int = 0, s: float = 0.01, stable_s: float = 0.01
) -> None:
    for index in range(count):
        clock.passes(0.1)
        watch.record(on_trial=False, failed=False, seconds=stable_s)
        bad = failed > 0 and index % (count // failed) == 0
        watch.record(on_trial=True, failed=bad, seconds=None if bad else s)


def test_a_good_canary_goes_on(watch: CanaryWatch, clock: Clock) -> None:
    calls(watch, clock, 500, failed=20)
    assert not watch.stopped


def test_few_failures_are_no_verdict(watch: CanaryWatch, clock: Clock) -> None:
    calls(watch, clock, 49, failed=49)
    assert not watch.stopped


def test_failures_beyond_the_budget_stop_it_for_good(watch: CanaryWatch, clock: Clock) -> None:
    calls(watch, clock, 100, failed=10)
    assert watch.stopped
    calls(watch, clock, 1000)
    assert watch.stopped


def test_slowness_beyond_the_budget_stops_it(watch: CanaryWatch, clock: Clock) -> None:
    calls(watch, clock, 100, s=0.03)
    assert watch.stopped


def test_a_slow_stable_release_excuses_it(watch: CanaryWatch, clock: Clock) -> None:
    calls(watch, clock, 300, s=0.03, stable_s=0.02)
    assert not watch.stopped


def test_a_tail_is_seen_where_the_middle_is_the_same(watch: CanaryWatch, clock: Clock) -> None:
    for index in range(200):
        calls(watch, clock, 1, s=0.5 if index % 10 == 0 else 0.01)
    assert watch.stopped


def test_what_is_older_than_the_window_is_forgotten(watch: CanaryWatch, clock: Clock) -> None:
    calls(watch, clock, 40, failed=40)
    clock.passes(120)
    calls(watch, clock, 200)
    assert not watch.stopped
