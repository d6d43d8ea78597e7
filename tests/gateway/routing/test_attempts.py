import asyncio

import grpc
import pytest

from tests.gateway.routing.conftest import Routed, sample
from tests.gateway.test_faults import assert_unavailable, failure
from tests.gateway.toy import Toy

RETRIES = "gateway_backend_retries_total"


@pytest.mark.parametrize("method", ["Echo", "Put"])
async def test_an_idempotent_call_is_retried_where_the_backend_says_when(routed: Routed, toy: Toy, method: str) -> None:
    async with routed(stable=toy) as client:
        before = sample(RETRIES, release="stable")
        toy.failures, toy.retry_info = 2, True
        assert await client.unary(method, b"x") == b"x"
        assert len(toy.requests) == 3
        assert sample(RETRIES, release="stable") == before + 2


async def test_no_more_than_three_attempts(routed: Routed, toy: Toy) -> None:
    async with routed(stable=toy) as client:
        toy.failures, toy.retry_info = 3, True
        assert_unavailable(await failure(client.unary("Echo", b"x")), "TOY_AWAY")
        assert len(toy.requests) == 3


async def test_other_calls_are_never_retried(routed: Routed, toy: Toy) -> None:
    async with routed(stable=toy) as client:
        toy.failures, toy.retry_info = 1, True
        assert (await failure(client.unary("Save", b"x"))).code() is grpc.StatusCode.UNAVAILABLE
        assert len(toy.requests) == 1


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL, grpc.StatusCode.ABORTED])
async def test_what_the_backend_says_without_a_time_is_its_answer(
    routed: Routed, toy: Toy, code: grpc.StatusCode
) -> None:
    async with routed(stable=toy) as client:
        toy.failures, toy.failing = 1, code
        assert (await failure(client.unary("Echo", b"x"))).code() is code
        assert len(toy.requests) == 1


async def test_there_is_no_retry_beyond_the_deadline(routed: Routed, toy: Toy) -> None:
    async with routed(stable=toy) as client:
        toy.failures, toy.retry_info, toy.retry_after_s = 1, True, 30.0
        async with asyncio.timeout(8):
            assert_unavailable(await failure(client.unary("Echo", b"x", timeout=10)), "TOY_AWAY")
        assert len(toy.requests) == 1


async def test_a_backend_that_fails_on_and_on_gets_few_retries(routed: Routed, toy: Toy) -> None:
    async with routed({"breaker": {"min_calls": 1000}}, stable=toy) as client:
        toy.failures, toy.retry_info = 1000, True
        for _ in range(50):
            await failure(client.unary("Echo", b"x"))
        assert 50 < len(toy.requests) <= 70


async def test_a_slow_first_attempt_is_overtaken_by_the_second(routed: Routed) -> None:
    slow, quick = Toy(), Toy()
    async with routed({"methods": {"Echo": {"hedge_after_s": 0.05}}}, stable=(slow, quick)) as client:
        slow.delay_s = 60.0
        before = sample("gateway_backend_hedges_won_total", release="stable")
        async with asyncio.timeout(20):
            for _ in range(4):
                assert await client.unary("Echo", b"x") == b"x"
        assert len(slow.requests) >= 1
        assert len(quick.requests) == 4
        assert sample("gateway_backend_hedges_won_total", release="stable") == before + len(slow.requests)


async def test_quick_answers_are_not_hedged(routed: Routed, toy: Toy) -> None:
    async with routed({"methods": {"*": {"hedge_after_s": 20}}}, stable=toy) as client:
        for _ in range(10):
            await client.unary("Echo", b"x")
        assert len(toy.requests) == 10


async def test_what_has_effects_is_not_hedged(routed: Routed, toy: Toy) -> None:
    async with routed({"methods": {"*": {"hedge_after_s": 0.01}}}, stable=toy) as client:
        toy.delay_s = 0.3
        for method in ("Put", "Save"):
            await client.unary(method, b"x")
        assert len(toy.requests) == 2


async def test_a_refusal_is_an_answer_and_ends_the_hedge(routed: Routed, toy: Toy) -> None:
    async with routed({"methods": {"*": {"hedge_after_s": 0.05}}}, stable=toy) as client:
        toy.delay_s, toy.failures, toy.failing = 0.5, 2, grpc.StatusCode.INVALID_ARGUMENT
        assert (await failure(client.unary("Echo", b"x"))).code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_hedges_are_within_the_budget(routed: Routed, toy: Toy) -> None:
    async with routed({"methods": {"*": {"hedge_after_s": 0.01}}}, stable=toy) as client:
        toy.delay_s = 0.2
        before = sample("gateway_backend_hedges_total", release="stable")
        await asyncio.gather(*(client.unary("Echo", b"x") for _ in range(40)))
        assert 1 <= sample("gateway_backend_hedges_total", release="stable") - before <= 14


async def test_cancelling_cancels_both_attempts(routed: Routed, toy: Toy) -> None:
    async with routed({"methods": {"*": {"hedge_after_s": 0.05}}}, stable=toy) as client:
        toy.delay_s = 60.0
        call = client.unary("Echo", b"x")
        async with asyncio.timeout(20):
            while len(toy.requests) < 2:  # noqa: ASYNC110  # it notes no event
                await asyncio.sleep(0.02)
        call.cancel()
        await toy.saw("echo cancelled")
