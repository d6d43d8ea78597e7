"""A caller on the stream of one call."""

import asyncio
import itertools
import os
from typing import Any, Self

import grpc

from bankai.errors import BankaiError, FaultError
from bankai.intent.v1 import intent_pb2 as pb
from bankai.intent.v1 import intent_pb2_grpc

_NUMBERS = itertools.count()


class CallCaller:
    """Asks by final segments; implements `benchmarks.callers.Caller`.

    An async context manager: entering opens the call; leaving hangs up and waits for the summary.

    Args:
        channel: To the gateway or a service.
        metadata: Sent with the stream.
        timeout: Seconds that any answer may take.
    """

    def __init__(self, channel: grpc.aio.Channel, metadata: tuple[tuple[str, str], ...], timeout: float) -> None:
        self._stub: Any = intent_pb2_grpc.IntentServiceStub(channel)
        self._metadata = metadata
        self._timeout = timeout
        self._writing = asyncio.Lock()
        self._segments = 0
        loop = asyncio.get_running_loop()
        # By segment and whether it is final; True for an answer, False for a part that newer text has overtaken.
        self._waits: dict[tuple[str, bool], asyncio.Future[bool]] = {}
        self._summary: asyncio.Future[None] = loop.create_future()

    async def __aenter__(self) -> Self:
        self._stream: Any = self._stub.StreamCall(metadata=self._metadata)
        self._reading = asyncio.create_task(self._read())
        call_id = f"benchmark-{os.getpid()}-{next(_NUMBERS)}"
        await self._write(pb.StreamCallRequest(config=pb.CallConfig(call_id=call_id, channel="benchmark")))
        return self

    async def __aexit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None:
                await self._stream.done_writing()
                async with asyncio.timeout(self._timeout):
                    await self._summary
        finally:
            self._stream.cancel()
            self._reading.cancel()
            await asyncio.wait((self._reading,))

    async def ask(self, text: str) -> None:
        """Sends a final segment and waits for its answer; see `Caller`."""
        segment_id = f"s{self._segments}"
        self._segments += 1
        answer = self._send(segment_id, text, is_final=True)
        self._overtake(segment_id)
        await answer

    async def hint(self, text: str) -> bool:
        """Sends a partial segment; see `Caller`."""
        segment_id = f"s{self._segments}"
        self._overtake(segment_id)
        return await self._send(segment_id, text, is_final=False)

    async def _send(self, segment_id: str, text: str, *, is_final: bool) -> bool:
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waits[segment_id, is_final] = answer
        segment = pb.Segment(segment_id=segment_id, speaker=pb.SPEAKER_CALLER, text=text, is_final=is_final)
        await self._write(pb.StreamCallRequest(segment=segment))
        async with asyncio.timeout(self._timeout):
            return await answer

    def _overtake(self, segment_id: str) -> None:
        wait = self._waits.pop((segment_id, False), None)
        if wait is not None and not wait.done():
            wait.set_result(False)

    async def _write(self, request: pb.StreamCallRequest) -> None:
        async with self._writing:  # grpc takes one message at a time
            try:
                await self._stream.write(request)
            except asyncio.InvalidStateError:
                raise FaultError("NO_ANSWER", "the stream has ended") from None

    async def _read(self) -> None:
        error: Exception = FaultError("NO_ANSWER", "the stream ended early")
        try:
            while (response := await self._stream.read()) is not grpc.aio.EOF:
                self._take(response)
        except (grpc.aio.AioRpcError, BankaiError) as broken:
            error = broken
        waits: list[asyncio.Future[Any]] = [*self._waits.values(), self._summary]
        for wait in waits:
            if not wait.done():
                wait.set_exception(error)

    def _take(self, response: pb.StreamCallResponse) -> None:
        match response.WhichOneof("message"):
            case "analysis":
                answer = response.analysis
                if not answer.analysis.intents:
                    raise FaultError("NO_ANSWER", "an answer has no intents")
                wait = self._waits.pop((answer.segment_id, answer.is_final), None)
                if wait is not None and not wait.done():
                    wait.set_result(True)
            case "summary":
                self._summary.set_result(None)
            case "rejected":
                segment_id, reason = response.rejected.segment_id, response.rejected.reason
                for key in ((segment_id, True), (segment_id, False)):
                    wait = self._waits.pop(key, None)
                    if wait is not None and not wait.done():
                        wait.set_exception(FaultError(reason, "the service rejected a segment"))
            case "reconnect":
                raise FaultError("NO_ANSWER", "the service went away")
