import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from bankai.errors import FaultError
from bankai.intent.v1 import intent_pb2 as pb
from bankai.intent.v1 import intent_pb2_grpc
from benchmarks.call_caller import CallCaller


class Service(intent_pb2_grpc.IntentServiceServicer):
    """Answers finals and says how many there were; leaves beginnings out; "reject" is rejected, "end" ends the call."""

    async def StreamCall(  # noqa: N802  # grpc's
        self, requests: AsyncIterator[pb.StreamCallRequest], context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[pb.StreamCallResponse]:
        yield pb.StreamCallResponse(accepted=pb.CallAccepted())
        count = 0
        async for request in requests:
            segment = request.segment
            if segment.text == "end":
                await context.abort(grpc.StatusCode.UNAVAILABLE, "gone")
            if segment.text == "reject":
                yield pb.StreamCallResponse(rejected=pb.SegmentRejected(segment_id=segment.segment_id, reason="NO"))
            elif segment.is_final or segment.text == "quick":
                count += segment.is_final
                answer = pb.SegmentAnalysis(segment_id=segment.segment_id, is_final=segment.is_final)
                answer.analysis.intents.add(intent_id="chitchat")
                yield pb.StreamCallResponse(analysis=answer)
        yield pb.StreamCallResponse(summary=pb.CallSummary(segment_count=count))


@pytest.fixture
async def channel() -> AsyncIterator[grpc.aio.Channel]:
    server = grpc.aio.server()
    service = Service()  # type: ignore[abstract]  # the two other methods exist; only the stubs call them abstract
    intent_pb2_grpc.add_IntentServiceServicer_to_server(service, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield channel
    await server.stop(None)


def _caller(channel: grpc.aio.Channel) -> CallCaller:
    return CallCaller(channel, (), timeout=10.0)


async def test_every_final_is_answered_and_the_call_summed_up(channel: grpc.aio.Channel) -> None:
    async with _caller(channel) as caller:
        for _ in range(3):
            await caller.ask("hello")


async def test_a_beginning_is_answered_or_overtaken(channel: grpc.aio.Channel) -> None:
    async with _caller(channel) as caller:
        assert await caller.hint("quick")
        assert await caller.hint("quick")
        await caller.ask("quick and slow")


async def test_a_final_overtakes_its_beginning(channel: grpc.aio.Channel) -> None:
    async with _caller(channel) as caller:
        slow = asyncio.create_task(caller.hint("slow"))
        await asyncio.sleep(0)
        await caller.ask("slow and quick")
        assert await slow is False


async def test_a_rejection_is_no_answer_and_the_call_goes_on(channel: grpc.aio.Channel) -> None:
    async with _caller(channel) as caller:
        with pytest.raises(FaultError, match="rejected") as refused:
            await caller.ask("reject")
        assert refused.value.reason == "NO"
        await caller.ask("hello")


async def test_a_stream_that_ends_fails_what_waits_and_what_comes_after(channel: grpc.aio.Channel) -> None:
    caller = await _caller(channel).__aenter__()
    with pytest.raises(grpc.aio.AioRpcError, match="gone"):
        await caller.ask("end")
    with pytest.raises(FaultError, match="has ended"):
        await caller.ask("hello")
    with pytest.raises(grpc.aio.AioRpcError, match="gone"):
        await caller.__aexit__(None, None, None)
