"""Breaker, limits and ejection as callers meet them."""

import asyncio
from collections import Counter
from pathlib import Path

import grpc
import pytest

from bankai.status import from_rpc_error
from gateway.policy import permit
from gateway.policy.model import CallLimits, ChannelLimits, Priority
from tests.gateway.conftest import Client
from tests.gateway.routing.conftest import Routed, sample
from tests.gateway.test_faults import assert_unavailable, failure
from tests.gateway.toy import Toy


async def reason(client: Client, method: str = "Save") -> str:
    """How a call ends: the reason, or an empty string for an answer."""
    try:
        await client.unary(method, b"x")
    except grpc.aio.AioRpcError as error:
        return from_rpc_error(error).reason
    return ""


async def test_a_backend_that_fails_is_left_alone_and_comes_back(routed: Routed, toy: Toy) -> None:
    rules = {"min_calls": 10, "window_s": 1, "open_s": 0.5}
    async with routed({"breaker": rules}, stable=toy) as client:
        toy.failures, toy.failing = 1000, grpc.StatusCode.INTERNAL
        async with asyncio.timeout(20):
            while await reason(client) != "BACKEND_CIRCUIT_OPEN":
                pass
        seen = len(toy.requests)
        assert_unavailable(await failure(client.unary("Save", b"x")), "BACKEND_CIRCUIT_OPEN")
        assert len(toy.requests) == seen
        assert sample("gateway_breaker_state", release="stable") == 2
        call = client.bidi("Chat")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
        assert_unavailable(caught.value, "BACKEND_CIRCUIT_OPEN")
        toy.failures = 0
        async with asyncio.timeout(20):
            while sample("gateway_breaker_state", release="stable"):
                await reason(client)
                await asyncio.sleep(0.02)
        assert not await reason(client)


@pytest.mark.parametrize(
    "code",
    [grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND, grpc.StatusCode.RESOURCE_EXHAUSTED],
)
async def test_refusals_open_no_breaker(routed: Routed, toy: Toy, code: grpc.StatusCode) -> None:
    async with routed({"breaker": {"min_calls": 5}}, stable=toy) as client:
        toy.failures, toy.failing = 30, code
        for _ in range(30):
            assert (await failure(client.unary("Save", b"x"))).code() is code
        assert not await reason(client)


async def test_callers_in_a_hurry_open_no_breaker(routed: Routed, toy: Toy) -> None:
    async with routed({"breaker": {"min_calls": 5}}, stable=toy) as client:
        toy.delay_s = 5.0
        await asyncio.gather(*(failure(client.unary("Save", b"x", timeout=0.1)) for _ in range(20)))
        toy.delay_s = 0.0
        assert not await reason(client)


async def test_deadlines_of_patient_callers_open_it(routed: Routed, toy: Toy) -> None:
    async with routed({"breaker": {"min_calls": 5}}, stable=toy) as client:
        toy.delay_s = 60.0
        await asyncio.gather(*(failure(client.unary("Save", b"x", timeout=1)) for _ in range(10)))
        assert await reason(client) == "BACKEND_CIRCUIT_OPEN"


async def test_a_full_backend_sheds_the_batch_first(routed: Routed, toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = {"min_calls": 10, "max_calls": 10, "max_streams": 1}
    priority = Priority.BATCH
    monkeypatch.setattr(
        "gateway.proxy.current_permit",
        lambda: permit.Permit("ivr", priority, ChannelLimits(), CallLimits()),
    )
    async with routed({"concurrency": rules}, stable=toy) as client:
        before = sample("gateway_shed_total", release="stable", kind="unary", priority="batch")
        hanging = [client.unary("Hang", b"", timeout=60) for _ in range(6)]
        async with asyncio.timeout(20):
            while sample("gateway_concurrency_in_flight", release="stable", kind="unary") < 6:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert_unavailable(await failure(client.unary("Echo", b"x")), "OVERLOADED")
        assert sample("gateway_shed_total", release="stable", kind="unary", priority="batch") == before + 1
        priority = Priority.LIVE
        assert await client.unary("Echo", b"x") == b"x"
        first, second = client.bidi("Chat"), client.bidi("Chat")
        await first.write(b"one")
        assert await first.read() == b"you said one"
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await second.read()
        assert_unavailable(caught.value, "OVERLOADED")
        for call in (first, *hanging):
            call.cancel()


@pytest.mark.slow
@pytest.mark.parametrize("hangs", [False, True])
async def test_a_pod_that_answers_nothing_well_is_left_out(routed: Routed, *, hangs: bool) -> None:
    pods = Toy(), Toy(), Toy()
    async with routed({"breaker": {"min_calls": 100_000}}, stable=pods) as client:
        if hangs:
            pods[0].delay_s = 60.0
        else:
            pods[0].failures = 1_000_000
        ends: Counter[bool] = Counter()
        async with asyncio.timeout(60):
            while ends[True] < 60:  # as many in a row are good only where it is left out
                good = await asyncio.gather(*(client.unary("Save", b"x", timeout=1).code() for _ in range(12)))
                if any(code is not grpc.StatusCode.OK for code in good):
                    ends.clear()
                ends.update(code is grpc.StatusCode.OK for code in good)
                await asyncio.sleep(0.05)


async def test_the_keys_of_the_state_go_with_the_gateway(routed: Routed, toy: Toy, tmp_path: Path) -> None:
    async with routed(stable=toy):
        assert sample("gateway_concurrency_limit", release="stable", kind="unary") > 0
    assert sample("gateway_concurrency_limit", release="stable", kind="unary") == 0
