from hypothesis import given
from hypothesis import strategies as st

from gateway.routing.budget import RetryBudget


def test_a_backend_that_is_down_gets_no_more_than_the_floor() -> None:
    budget = RetryBudget()
    allowed = 0
    for _ in range(1000):
        budget.failed()
        allowed += budget.allows_retry
    assert allowed == 19


@given(st.lists(st.booleans(), max_size=2000))
def test_retries_stay_within_a_tenth_of_the_good_answers_and_the_floor(ends: list[bool]) -> None:
    budget = RetryBudget()
    retries = good = 0
    for succeeded in ends:
        if succeeded:
            budget.succeeded()
            good += 1
        else:
            budget.failed()
            retries += budget.allows_retry
    assert retries <= 20 + good / 10


def test_hedges_are_counted_in_it_and_leave_something_for_retries() -> None:
    budget = RetryBudget()
    assert sum(budget.take_hedge() for _ in range(100)) == 10
    assert budget.allows_retry
    for _ in range(10):
        budget.failed()
    assert not budget.allows_retry
    for _ in range(90):
        budget.succeeded()
    assert budget.allows_retry
    assert not budget.take_hedge()
