"""The client takes a call up again, against a scripted service."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from bankai.client import calls as module
from bankai.client.calls import CallClient
from bankai.errors import InvalidRequestError, UnavailableError
from bankai.intent.v1 import intent_pb2 as pb
from bankai.intent.v1 import intent_pb2_grpc

Context = grpc.aio.ServicerContext[Any, Any]
Script = Callable[["Scripted", pb.Segment, Context], Any]


class Scripted(intent_pb2_grpc.IntentServiceServicer):
    """Answers every segment, unless the script of that segment does something else, once."""

    def __init__(self, scripts: dict[str, Script]) -> None:
        self.scripts = scripts
        self.known: list[str] = []
        self.resumed_from: list[str] = []
        self.sent: list[str] = []

    async def Classify(self, request: pb.ClassifyRequest, context: Context) -> pb.ClassifyResponse:  # noqa: N802  # as generated
        raise NotImplementedError

    async def ListIntents(self, request: pb.ListIntentsRequest, context: Context) -> pb.ListIntentsResponse:  # noqa: N802  # as generated
        raise NotImplementedError

    async def StreamCall(  # noqa: N802  # as generated
        self, request_iterator: AsyncIterator[pb.StreamCallRequest], context: Context
    ) -> AsyncIterator[pb.StreamCallResponse]:
        config = (await anext(request_iterator)).config
        accepted = pb.CallAccepted(call_id=config.call_id, last_segment_id=(self.known or [""])[-1])
        yield pb.StreamCallResponse(accepted=accepted)
        if config.HasField("resume"):
            last = config.resume.last_segment_id
            self.resumed_from.append(last)
            for missed in self.known[self.known.index(last) + 1 if last else 0 :]:
                yield answer(missed)
        async for request in request_iterator:
            segment_id = request.segment.segment_id
            self.sent.append(segment_id)
            script = self.scripts.pop(segment_id, None)
            if script is not None:
                response = await script(self, request.segment, context)
                if response is None:
                    return
                yield response
            else:
                self.known.append(segment_id)
                yield answer(segment_id)
        yield pb.StreamCallResponse(summary=pb.CallSummary(segment_count=len(self.known)))


def answer(segment_id: str) -> pb.StreamCallResponse:
    return pb.StreamCallResponse(analysis=pb.SegmentAnalysis(segment_id=segment_id, is_final=True))


async def reject(service: Scripted, segment: pb.Segment, context: Context) -> pb.StreamCallResponse:
    return pb.StreamCallResponse(
        rejected=pb.SegmentRejected(segment_id=segment.segment_id, reason="TEXT_TOO_LONG", message="too long")
    )


async def reconnect(service: Scripted, segment: pb.Segment, context: Context) -> pb.StreamCallResponse:
    return pb.StreamCallResponse(reconnect=pb.Reconnect(retry_delay_ms=10))


async def vanish(service: Scripted, segment: pb.Segment, context: Context) -> None:
    await context.abort(grpc.StatusCode.UNAVAILABLE, "going away")


async def take_and_vanish(service: Scripted, segment: pb.Segment, context: Context) -> None:
    service.known.append(segment.segment_id)
    await vanish(service, segment, context)


async def end(service: Scripted, segment: pb.Segment, context: Context) -> None:
    """Ends the stream without a word."""


async def refuse(service: Scripted, segment: pb.Segment, context: Context) -> None:
    await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no")


@asynccontextmanager
async def call(service: Scripted) -> AsyncIterator[CallClient]:
    server = grpc.aio.server()
    intent_pb2_grpc.add_IntentServiceServicer_to_server(service, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with (
            grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
            CallClient(channel, pb.CallConfig(call_id="c")) as client,
        ):
            yield client
    finally:
        await server.stop(None)


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RESUME_DELAY_S", 0.01)


async def ask(client: CallClient, *segment_ids: str) -> None:
    for segment_id in segment_ids:
        found = await client.ask(pb.Segment(segment_id=segment_id, text="hi", is_final=True))
        assert found.segment_id == segment_id


async def test_a_call_from_end_to_end() -> None:
    service = Scripted({})
    async with call(service) as client:
        await ask(client, "1", "2", "3")
        assert (await client.finish()).segment_count == 3


@pytest.mark.parametrize("script", [reconnect, vanish, end])
async def test_a_segment_that_was_lost_is_sent_again(script: Script) -> None:
    service = Scripted({"2": script})
    async with call(service) as client:
        await ask(client, "1", "2", "3")
        assert (await client.finish()).segment_count == 3
    assert service.resumed_from == ["1"]
    assert service.sent == ["1", "2", "2", "3"]


async def test_a_write_that_meets_the_end_of_the_stream_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    service = Scripted({})
    async with call(service) as client:
        await ask(client, "1")

        async def write(_request: object) -> None:
            empty = grpc.aio.Metadata()
            raise grpc.aio.AioRpcError(grpc.StatusCode.INTERNAL, empty, empty, "Internal error from Core")

        monkeypatch.setattr(client._stream, "write", write)
        await ask(client, "2")
    assert service.resumed_from == ["1"]
    assert service.sent == ["1", "2"]


async def test_a_segment_that_was_taken_is_not_sent_again() -> None:
    service = Scripted({"2": take_and_vanish})
    async with call(service) as client:
        await ask(client, "1", "2", "3")
    assert service.sent == ["1", "2", "3"]


async def test_a_rejected_segment_ends_nothing() -> None:
    async with call(Scripted({"1": reject})) as client:
        with pytest.raises(InvalidRequestError, match="too long"):
            await ask(client, "1")
        await ask(client, "2")


async def test_other_errors_are_told_at_once() -> None:
    service = Scripted({"1": refuse})
    async with call(service) as client:
        with pytest.raises(InvalidRequestError):
            await ask(client, "1")
    assert service.resumed_from == []


async def test_a_service_that_keeps_ending_the_stream_is_given_up() -> None:
    class Ending(dict[str, Script]):
        def pop(self, key: str, default: Any = None) -> Script:
            return end

    service = Scripted(Ending())
    async with asyncio.timeout(30), call(service) as client:
        with pytest.raises(UnavailableError, match="keeps ending"):
            await ask(client, "1")
    assert len(service.resumed_from) == module.MAX_RESUMES
