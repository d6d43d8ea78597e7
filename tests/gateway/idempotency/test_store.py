"""Answers by idempotency key, and who may make a call."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bankai.errors import ConflictError
from gateway.idempotency.settings import IdempotencySettings
from gateway.idempotency.store import Answer, AnswerStore, Claim, answer_store

ANSWER = Answer(b"\x00answer\xff", [("x-a", "1"), ("x-a", "2"), ("x-b-bin", b"\xff\x00")])


def claim(request: bytes = b"pay", key: str = "key") -> Claim:
    return Claim.of("ivr", "/a.v1.A/Pay", key, request)


@pytest.fixture
async def store(idempotency: IdempotencySettings) -> AsyncIterator[AnswerStore]:
    opened = AnswerStore(idempotency)
    yield opened
    await opened.close()


async def test_an_answer_is_kept_as_it_is(store: AnswerStore) -> None:
    first = claim()
    assert await store.claim(first) is True
    assert await store.claim(claim()) is False
    assert await store.keep(first, ANSWER)
    assert await store.claim(claim()) == ANSWER
    with pytest.raises(ConflictError):
        await store.claim(claim(b"other"))


async def test_another_request_is_refused_while_the_first_is_under_way(store: AnswerStore) -> None:
    assert await store.claim(claim()) is True
    with pytest.raises(ConflictError):
        await store.claim(claim(b"other"))


async def test_one_of_many_is_granted(store: AnswerStore) -> None:
    granted = await asyncio.gather(*(store.claim(claim()) for _ in range(10)))
    assert sorted(map(bool, granted)) == [False] * 9 + [True]


async def test_what_is_given_back_can_be_claimed(store: AnswerStore) -> None:
    first = claim()
    await store.claim(first)
    await store.release(first)
    second = claim(b"other")
    assert await store.claim(second) is True
    assert not await store.keep(first, ANSWER)
    assert not await store.renew(first)
    await store.release(first)  # somebody else's now
    assert await store.renew(second)


async def test_a_lease_that_runs_out(idempotency: IdempotencySettings) -> None:
    store = AnswerStore(idempotency.model_copy(update={"lease_s": 0.05}))
    dead, next_one = claim(), claim()
    assert await store.claim(dead) is True
    await asyncio.sleep(0.1)
    assert await store.claim(next_one) is True
    assert not await store.keep(dead, ANSWER)
    await store.close()


async def test_old_answers_are_erased(idempotency: IdempotencySettings) -> None:
    brief = idempotency.model_copy(update={"retention_s": 0.1, "lease_s": 0.05, "sweep_s": 0.05})
    async with answer_store(brief) as store:
        first, stays = claim(), claim(key="stays")
        await store.claim(first)
        await store.keep(first, ANSWER)
        await asyncio.sleep(0.3)
        assert await store.claim(claim(b"other")) is True
        await store.claim(stays)
        assert await store.renew(stays)  # a call under way is never swept
        await store.sweep()
        assert await store.renew(stays)


async def test_answers_are_forgotten_by_what_they_hold(store: AnswerStore) -> None:
    for key, held in (("a", "王小明"), ("b", "王小红"), ("c", "")):
        asked = claim(key=key)
        await store.claim(asked)
        await store.keep(asked, Answer(b"\x0a\x09" + held.encode() + b"\x00", ()))
    assert await store.holding(["小明", "王小明"]) == 1
    assert await store.holding([]) == 0
    assert await store.forget(["小明", "王小明"]) == 1
    assert await store.forget(["小明"]) == 0
    assert await store.claim(claim(key="a")) is True  # the call is made again
    assert isinstance(await store.claim(claim(key="b")), Answer)
