"""A small servicer behind the whole server core. What it does is in the text or call id that it is sent."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc

from bankai.channel import channel_options
from bankai.intent.v1 import intent_pb2, intent_pb2_grpc
from bankai.interceptors import deadline
from bankai.server import GrpcServer
from bankai.settings import ServerSettings

SERVICE = "bankai.intent.v1.IntentService"
CLASSIFY = f"/{SERVICE}/Classify"
STREAM = f"/{SERVICE}/StreamCall"

Action = Callable[[Any], Any]


class Toy(intent_pb2_grpc.IntentServiceServicer):
    def __init__(self) -> None:
        self.server: GrpcServer
        self.actions: dict[str, Action] = {}
        self.entered = asyncio.Event()
        self.remaining: list[float] = []
        self.ends: asyncio.Queue[str] = asyncio.Queue()

    async def Classify(self, request: Any, context: Any) -> Any:  # noqa: N802  # as generated
        self.entered.set()
        self.remaining.append(deadline.remaining())
        action = self.actions.get(request.text)
        answer = action(context) if action is not None else None
        if asyncio.iscoroutine(answer):
            answer = await answer
        return intent_pb2.ClassifyResponse() if answer is None else answer

    async def StreamCall(self, requests: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802  # as generated
        """Echoes the id of each segment; asks to reconnect when the server drains; ends with a summary."""
        self.entered.set()
        draining = asyncio.create_task(self.server.draining.wait())
        read = asyncio.create_task(anext(requests))
        try:
            while True:
                await asyncio.wait((draining, read), return_when=asyncio.FIRST_COMPLETED)
                if draining.done():
                    yield intent_pb2.StreamCallResponse(reconnect=intent_pb2.Reconnect(retry_delay_ms=1))
                    self.ends.put_nowait("reconnect")
                    return
                try:
                    request = read.result()
                except StopAsyncIteration:
                    self.ends.put_nowait("half-close")
                    yield intent_pb2.StreamCallResponse(summary=intent_pb2.CallSummary())
                    return
                action = self.actions.get(request.segment.segment_id)
                if action is not None:
                    action(context)
                yield intent_pb2.StreamCallResponse(
                    analysis=intent_pb2.SegmentAnalysis(segment_id=request.segment.segment_id)
                )
                read = asyncio.create_task(anext(requests))
        except asyncio.CancelledError:
            self.ends.put_nowait("cancelled")
            raise
        finally:
            draining.cancel()
            read.cancel()

    async def ListIntents(self, request: Any, context: Any) -> Any:  # noqa: N802  # as generated
        return None  # a mistake that must not show


@asynccontextmanager
async def serving(
    toy: Toy | None = None, *, register: Any = None, chain: Any = None, options: Any = None, **settings: Any
) -> AsyncIterator[tuple[Toy, GrpcServer, Any]]:
    toy = toy or Toy()
    server_settings = ServerSettings(**{"listen": "127.0.0.1:0", "drain_grace_s": 5.0} | settings)
    server = GrpcServer(server_settings, name="toy", interceptors=chain and chain(server_settings))
    toy.server = server
    server.add(lambda grpc_server: intent_pb2_grpc.add_IntentServiceServicer_to_server(toy, grpc_server), [SERVICE])
    if register is not None:
        server.add(register, [])
    port = await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options or channel_options()) as channel:
            yield toy, server, channel
    finally:
        await server.stop_now()


def stub(channel: grpc.aio.Channel) -> Any:
    return intent_pb2_grpc.IntentServiceStub(channel)


async def classify(channel: grpc.aio.Channel, text: str = "", **options: Any) -> Any:
    return await stub(channel).Classify(intent_pb2.ClassifyRequest(text=text), **options)


async def stream(channel: grpc.aio.Channel, *segment_ids: str) -> list[Any]:
    """A whole stream: the segments one after the other, half-close, all answers."""
    call = stub(channel).StreamCall(iter([segment(segment_id) for segment_id in segment_ids]))
    return [answer async for answer in call]


def segment(segment_id: str) -> Any:
    return intent_pb2.StreamCallRequest(segment=intent_pb2.Segment(segment_id=segment_id))
