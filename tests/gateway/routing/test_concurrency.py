from collections import Counter
from contextlib import ExitStack

import pytest

from bankai.errors import UnavailableError
from gateway.policy.model import Priority
from gateway.routing.concurrency import AdaptiveLimit, Limit
from gateway.routing.model import ConcurrencyRules
from tests.gateway.routing.clock import Clock

RULES = ConcurrencyRules(min_calls=20, max_calls=400, latency_s=0.2)


def filled(limit: Limit, priority: Priority, stack: ExitStack) -> int:
    """Takes calls up until the first is refused."""
    taken = 0
    with pytest.raises(UnavailableError) as caught:  # noqa: PT012  # it raises at some call or other
        while True:
            stack.enter_context(limit.entered(priority))
            taken += 1
    assert caught.value.reason == "OVERLOADED"
    assert caught.value.retry_after is not None
    return taken


def test_a_batch_leaves_room_for_people_and_people_for_live_calls() -> None:
    shed: Counter[Priority] = Counter()
    limit = Limit(100, lambda priority: shed.update((priority,)))
    with ExitStack() as stack:
        assert filled(limit, Priority.BATCH, stack) == 60
        assert filled(limit, Priority.INTERACTIVE, stack) == 25
        assert filled(limit, Priority.LIVE, stack) == 15
        assert limit.in_flight == 100
    assert limit.in_flight == 0
    assert shed == {Priority.BATCH: 1, Priority.INTERACTIVE: 1, Priority.LIVE: 1}


def test_the_smallest_limit_still_lets_everybody_call() -> None:
    limit = Limit(1, lambda _: None)
    for priority in Priority:
        with limit.entered(priority):
            assert limit.in_flight == 1


class Load:
    """Calls that keep a limit's backend as full as it may be."""

    def __init__(self, rules: ConcurrencyRules = RULES) -> None:
        self.clock = Clock()
        self.limit = AdaptiveLimit(rules, lambda _: None, self.clock)

    def windows(self, count: int, *seconds: float, method: str = "M", full: bool = True) -> None:
        for _ in range(count):
            with ExitStack() as stack:
                for _ in range(int(self.limit.limit) if full else 1):
                    stack.enter_context(self.limit.entered(Priority.LIVE))
                self.clock.passes(0.6)
                for index in range(20):
                    self.limit.sample(method, seconds[index % len(seconds)])


def test_it_grows_while_it_is_used_and_answers_are_quick() -> None:
    load = Load()
    load.windows(100, 0.01)
    assert load.limit.limit == RULES.max_calls


def test_it_stays_where_nobody_needs_more() -> None:
    load = Load()
    before = load.limit.limit
    load.windows(20, 0.01, full=False)
    assert load.limit.limit == before


def test_it_shrinks_when_answers_take_much_longer_than_at_best() -> None:
    load = Load()
    load.windows(5, 0.3)
    before = load.limit.limit
    load.windows(10, 1.2)
    assert load.limit.limit < before / 2
    load.windows(100, 1.2)
    assert load.limit.limit >= RULES.min_calls


def test_answers_in_good_time_are_no_reason_to_shrink_however_much_quicker_the_best_are() -> None:
    load = Load()
    load.windows(2, 0.001)
    before = load.limit.limit
    load.windows(20, 0.15)
    assert load.limit.limit >= before


def test_a_slow_method_is_not_held_against_a_quick_one() -> None:
    load = Load()
    for _ in range(10):
        load.windows(1, 0.01, method="Quick", full=False)
        load.windows(1, 5.0, method="Slow", full=False)
    assert load.limit.limit == 100


def test_one_of_two_pods_that_hangs_does_not_starve_the_other() -> None:
    load = Load()
    load.windows(5, 0.01)
    before = load.limit.limit
    load.windows(20, 0.01, 10.0)
    assert load.limit.limit >= before


def test_what_is_slower_for_good_is_the_new_best_after_a_while() -> None:
    load = Load()
    load.windows(2, 0.3)
    load.windows(20, 0.9)
    low = load.limit.limit
    load.windows(600, 0.9)
    assert load.limit.limit > low


@pytest.mark.parametrize("given", [{"min_calls": 5, "max_calls": 4}, {"max_streams": 0}, {"latency_s": 0}])
def test_wrong_rules(given: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"must not|greater"):
        ConcurrencyRules.model_validate(given)
