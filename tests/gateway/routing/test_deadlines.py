import asyncio
import json
import time

import grpc
import pytest

from bankai.status import from_rpc_error
from tests.gateway.conftest import Client
from tests.gateway.routing.conftest import Routed, sample
from tests.gateway.test_faults import failure
from tests.gateway.toy import Toy


async def left(client: Client, wanted_s: float | None = None) -> float:
    """Seconds that the backend is told it has."""
    return float(json.loads(await client.unary("Show", b"", timeout=wanted_s))["left"])


async def test_unary_calls_without_a_deadline_get_one(routed: Routed, toy: Toy) -> None:
    async with routed(stable=toy) as client:
        assert 5 < await left(client) < 11  # as grpc writes it, rounded up


async def test_a_deadline_is_cut_to_a_minute(routed: Routed, toy: Toy) -> None:
    async with routed(stable=toy) as client:
        assert 50 < await left(client, wanted_s=3600) < 61


async def test_a_route_says_both(routed: Routed, toy: Toy) -> None:
    methods = {"Show": {"deadline_s": 20, "max_deadline_s": 100}}
    async with routed({"methods": methods}, stable=toy) as client:
        assert 15 < await left(client) < 21
        assert 90 < await left(client, wanted_s=3600) < 101
        assert 25 < await left(client, wanted_s=30) < 31


async def test_a_call_that_gets_no_answer_ends_at_the_route_s_deadline(routed: Routed, toy: Toy) -> None:
    async with routed({"methods": {"*": {"deadline_s": 0.3}}}, stable=toy) as client:
        began = time.monotonic()
        error = await failure(client.unary("Hang", b""))
        assert time.monotonic() - began < 8
        assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert from_rpc_error(error).reason == "DEADLINE_EXCEEDED"
        await toy.saw("cancelled")


async def test_streams_have_no_deadline_unless_told(routed: Routed, toy: Toy) -> None:
    async with routed({"methods": {"Chat": {"max_deadline_s": 0.5}}}, stable=toy) as client:
        call = client.bidi("Chat")
        await call.write(b"one")
        assert await call.read() == b"you said one"
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert from_rpc_error(caught.value).reason == "DEADLINE_EXCEEDED"


@pytest.mark.slow
async def test_a_client_that_does_not_read_holds_no_backend_beyond_the_cap(routed: Routed, toy: Toy) -> None:
    async with routed({"methods": {"Flood": {"max_deadline_s": 1.0}}}, stable=toy) as client:
        call = client.server_stream("Flood", b"8000")
        await call.initial_metadata()
        assert sample("gateway_concurrency_in_flight", release="stable", kind="stream") == 1
        async with asyncio.timeout(20):
            while sample("gateway_concurrency_in_flight", release="stable", kind="stream"):  # noqa: ASYNC110  # a metric
                await asyncio.sleep(0.1)
        call.cancel()
