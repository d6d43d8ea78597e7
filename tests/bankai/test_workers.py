import asyncio

import pytest

from bankai.background import beside
from bankai.errors import UnavailableError
from bankai.leases import LeaseLostError, under_lease
from bankai.workers import Workers


async def test_what_goes_wrong_with_one_piece_does_not_end_the_others() -> None:
    left: list[Exception | None] = [RuntimeError("broken"), None, UnavailableError("STORE_UNAVAILABLE", "away"), None]
    done = asyncio.Event()

    async def work() -> bool:
        if not left:
            done.set()
            return False
        error = left.pop(0)
        if error is not None:
            raise error
        return True

    async with beside(Workers(work, "tests", 1, 0.01).run()), asyncio.timeout(10):
        await done.wait()
    assert not left


async def test_a_wake_that_comes_while_work_is_looked_for_is_not_lost() -> None:
    looks = 0
    twice = asyncio.Event()

    async def work() -> bool:
        nonlocal looks
        looks += 1
        if looks == 1:
            workers.wake()  # as a caller would, just after nothing was found
        else:
            twice.set()
        return False

    workers = Workers(work, "tests", 1, 3600.0)
    async with beside(workers.run()), asyncio.timeout(10):
        await twice.wait()


async def test_a_lease_that_is_lost_ends_the_work() -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            ended.set()

    async def renew() -> bool:
        return False

    with pytest.raises(LeaseLostError):
        await under_lease(work(), 0.05, renew)
    assert ended.is_set()


async def test_a_renewal_that_fails_is_tried_again() -> None:
    renewals = 0

    async def renew() -> bool:
        nonlocal renewals
        renewals += 1
        raise UnavailableError("STORE_UNAVAILABLE", "away")

    async def work() -> str:
        while renewals < 3:  # noqa: ASYNC110  # a count has no event
            await asyncio.sleep(0.005)
        return "done"

    assert await under_lease(work(), 0.05, renew) == "done"
