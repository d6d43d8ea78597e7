import pytest

from bankai.errors import ExhaustedError
from gateway.quota.refusals import too_many_calls
from gateway.quota.slots import Slots


def fill(slots: Slots) -> int:
    for count in range(1000):
        try:
            slots.enter()
        except ExhaustedError:
            return count
    return 1000


@pytest.mark.parametrize(
    ("limit", "others", "share", "free"),
    [(5, 0, 0.5, 5), (5, 3, 0.5, 2), (5, 5, 0.5, 0), (5, 9, 0.5, 0), (5, None, 0.5, 3), (5, None, 1.0, 5)],
)
def test_how_many_are_free(limit: int, others: int | None, share: float, free: int) -> None:
    slots = Slots("ivr", share, too_many_calls)
    slots.allow(limit, others)
    assert fill(slots) == free
    assert slots.taken == free


def test_a_call_that_ends_makes_room() -> None:
    slots = Slots("ivr", 1.0, too_many_calls)
    slots.allow(2, None)
    assert fill(slots) == 2
    slots.leave()
    assert fill(slots) == 1


def test_without_a_limit_calls_are_counted_all_the_same() -> None:
    slots = Slots("ivr", 0.1, too_many_calls)
    slots.allow(None, 1000)
    assert fill(slots) == 1000
    slots.allow(5, 0)
    assert fill(slots) == 0
