"""What is asked while things go wrong, and how an answer is held against its question."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

import grpc

from bankai.cli.supervisor import python_module
from bankai.client.calls import CallClient
from bankai.intent.v1 import intent_pb2 as pb
from bankai.intent.v1 import intent_pb2_grpc
from benchmarks.texts import utterances

Metadata = tuple[tuple[str, str], ...]

_TEXTS = 200
# The model is quantised anew for every batch, so that the company of other texts shows in an answer; another text's
# own answer is mostly about another intent altogether.
_TOLERANCE = 0.2
_NUMBERS = itertools.count()


class Talk(Protocol):
    """A stream that is open."""

    async def say(self, number: int) -> bool:
        """Says something and waits for the answer; returns whether it is the right one."""

    async def end(self, said: int) -> int:
        """Ends it in order, and returns how many of the answered messages it does not know any more."""


class Subject(Protocol):
    """A service under test.

    Attributes:
        service: Its full name.
        hedged: Name of its unary method.
    """

    service: str
    hedged: str

    def command(self, port: int) -> tuple[Sequence[str], Mapping[str, str]]:
        """The command of a replica, and its environment."""

    async def prepare(self, channel: grpc.aio.Channel, metadata: Metadata) -> None:
        """Learns the right answers while nothing is wrong."""

    async def ask(self, channel: grpc.aio.Channel, metadata: Metadata, number: int, timeout_s: float) -> bool:
        """Makes a unary call; returns whether its answer is the right one."""

    def talk(self, channel: grpc.aio.Channel, metadata: Metadata) -> AbstractAsyncContextManager[Talk]:
        """Opens a stream."""


class ToySubject:
    """The tests' toy, which says back what it is told; implements `Subject`."""

    service = "toy.v1.Toy"
    hedged = "Echo"

    def command(self, port: int) -> tuple[Sequence[str], Mapping[str, str]]:
        """See `Subject`."""
        return [*python_module("tests.gateway.toy"), str(port)], {}

    async def prepare(self, channel: grpc.aio.Channel, metadata: Metadata) -> None:
        """Nothing is to be learned."""

    async def ask(self, channel: grpc.aio.Channel, metadata: Metadata, number: int, timeout_s: float) -> bool:
        """See `Subject`."""
        message = f"call {number}".encode()
        call: Any = channel.unary_unary(f"/{self.service}/{self.hedged}")
        return bool(await call(message, metadata=metadata, timeout=timeout_s) == message)

    @asynccontextmanager
    async def talk(self, channel: grpc.aio.Channel, metadata: Metadata) -> AsyncIterator[Talk]:
        """See `Subject`."""
        call: Any = channel.stream_stream(f"/{self.service}/Chat")(metadata=metadata)
        try:
            yield _ToyTalk(call)
        finally:
            call.cancel()


class _ToyTalk:
    def __init__(self, call: Any) -> None:
        self._call = call

    async def say(self, number: int) -> bool:
        message = f"message {number}".encode()
        try:
            await self._call.write(message)
        except grpc.aio.AioRpcError as error:  # grpc's own INTERNAL where a write meets the stream's end
            raise asyncio.InvalidStateError from error
        return bool(await self._call.read() == b"you said " + message)

    async def end(self, said: int) -> int:  # noqa: ARG002  # it remembers nothing
        await self._call.done_writing()
        return 0 if await self._call.read() == b"bye" else 1


class IntentSubject:
    """The intent service with its models and a Redis for its calls; implements `Subject`.

    Args:
        redis_url: Where the calls are kept, so that either replica can take one up.
    """

    service = "bankai.intent.v1.IntentService"
    hedged = "Classify"

    def __init__(self, redis_url: str) -> None:
        self._redis_url = redis_url
        self._texts = utterances()[:_TEXTS]
        self._right: list[dict[str, float]] = []

    def command(self, port: int) -> tuple[Sequence[str], Mapping[str, str]]:
        """See `Subject`."""
        return python_module("services.intent"), {
            "BANKAI_INTENT_SERVER__LISTEN": f"127.0.0.1:{port}",
            "BANKAI_INTENT_SERVER__DRAIN_GRACE_S": "5",
            "BANKAI_INTENT_SESSIONS__REDIS_URL": self._redis_url,
            # By default a call goes on without Redis after 50 ms; here none may be forgotten on a busy machine.
            "BANKAI_INTENT_SESSIONS__REDIS_TIMEOUT_S": "2",
            "BANKAI_INTENT_LOG__LEVEL": "warning",
        }

    async def prepare(self, channel: grpc.aio.Channel, metadata: Metadata) -> None:
        """See `Subject`."""
        stub: Any = intent_pb2_grpc.IntentServiceStub(channel)
        for text in self._texts:
            answer = await stub.Classify(pb.ClassifyRequest(text=text), metadata=metadata)
            self._right.append(_figures(answer.analysis))

    async def ask(self, channel: grpc.aio.Channel, metadata: Metadata, number: int, timeout_s: float) -> bool:
        """See `Subject`."""
        stub: Any = intent_pb2_grpc.IntentServiceStub(channel)
        request = pb.ClassifyRequest(text=self._texts[number % _TEXTS])
        answer = await stub.Classify(request, metadata=metadata, timeout=timeout_s)
        return self._is_right(number, answer.analysis)

    @asynccontextmanager
    async def talk(self, channel: grpc.aio.Channel, metadata: Metadata) -> AsyncIterator[Talk]:
        """See `Subject`."""
        config = pb.CallConfig(call_id=f"faults-{os.getpid()}-{next(_NUMBERS)}", channel="benchmark")
        async with CallClient(channel, config, metadata) as call:
            yield _IntentTalk(self._texts, call)

    def _is_right(self, number: int, analysis: pb.UtteranceAnalysis) -> bool:
        said, right = _figures(analysis), self._right[number % _TEXTS]
        return all(abs(said.get(name, 0.0) - value) <= _TOLERANCE for name, value in right.items())


class _IntentTalk:
    def __init__(self, texts: Sequence[str], call: CallClient) -> None:
        self._texts = texts
        self._call = call

    async def say(self, number: int) -> bool:
        text = self._texts[number % len(self._texts)]
        segment = pb.Segment(segment_id=f"s{number}", speaker=pb.SPEAKER_CALLER, text=text, is_final=True)
        answer = await self._call.ask(segment)
        return answer.segment_id == segment.segment_id and bool(answer.analysis.intents)

    async def end(self, said: int) -> int:
        summary = await self._call.finish()
        return max(said - summary.segment_count, 0)


def _figures(analysis: pb.UtteranceAnalysis) -> dict[str, float]:
    """What tells one utterance's answer from another's."""
    best = analysis.intents[0]
    return {
        "out_of_scope": analysis.out_of_scope_probability,
        "intensity": analysis.emotion.intensity,
        best.intent_id: best.probability,
    }
