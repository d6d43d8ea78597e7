"""Callers of what is under test. All ask for one text and wait for its answer; how it travels differs."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import grpc
from tritonclient.grpc import service_pb2, service_pb2_grpc

from bankai.channel import channel_options
from bankai.cli.connection import Connection
from bankai.errors import FaultError
from bankai.intent.v1 import intent_pb2 as pb
from bankai.intent.v1 import intent_pb2_grpc
from benchmarks.bare_caller import BareCaller
from benchmarks.call_caller import CallCaller

ANSWER_TIMEOUT_S = 30.0
NOWHERE = Connection("")
OUTPUTS = {"intent_probs", "emotion_probs", "intensity"}


class Way(StrEnum):
    """How a text gets to the model."""

    CLASSIFY = "classify"
    """One unary IntentService.Classify each."""
    CALL = "call"
    """As the final segment of a call's stream."""
    INFER = "infer"
    """One unary ModelInfer of the v2 inference protocol each, the text as a BYTES tensor."""
    BARE = "bare"
    """Not at all: the model runs in the caller's process."""


@dataclass(frozen=True)
class Target:
    """What is asked.

    Attributes:
        way: How it is asked.
        connection: Where it is; of no meaning to `Way.BARE`.
    """

    way: Way
    connection: Connection = NOWHERE


class Caller(Protocol):
    """Somebody who asks."""

    async def ask(self, text: str) -> None:
        """Returns once the answer is there; may be called again before that.

        Raises:
            grpc.aio.AioRpcError: The call failed.
            FaultError: NO_ANSWER, the answer is not one.
            TimeoutError: None came in time.
        """

    async def hint(self, text: str) -> bool:
        """Sends the beginning of the next text, where the way knows such a thing.

        Returns:
            Whether it was answered before newer text overtook it.
        """


Dial = Callable[[], AbstractAsyncContextManager[Caller]]
"""Makes a caller. Leaving its context hangs up, which raises what `Caller.ask` raises where the end is not orderly."""


@asynccontextmanager
async def line(target: Target) -> AsyncIterator[Dial]:
    """Connects to what is asked. All callers share the connection, as the calls of one IVR platform do."""
    if target.way is Way.BARE:
        with BareCaller() as bare:
            yield lambda: nullcontext(bare)
        return
    metadata = target.connection.metadata
    async with grpc.aio.insecure_channel(target.connection.address, channel_options()) as channel:
        match target.way:
            case Way.CALL:
                yield lambda: CallCaller(channel, metadata, ANSWER_TIMEOUT_S)
            case Way.CLASSIFY:
                yield lambda: nullcontext(ClassifyCaller(channel, metadata))
            case Way.INFER:
                yield lambda: nullcontext(InferCaller(channel))


async def dialled(stack: AsyncExitStack, target: Target) -> Caller:
    """A caller over a line of its own; both end with the stack."""
    dial = await stack.enter_async_context(line(target))
    return await stack.enter_async_context(dial())


class ClassifyCaller:
    """Asks IntentService.Classify; implements `Caller`."""

    def __init__(self, channel: grpc.aio.Channel, metadata: tuple[tuple[str, str], ...]) -> None:
        self._stub: Any = intent_pb2_grpc.IntentServiceStub(channel)
        self._metadata = metadata

    async def ask(self, text: str) -> None:
        """See `Caller`."""
        request = pb.ClassifyRequest(text=text)
        answer = await self._stub.Classify(request, metadata=self._metadata, timeout=ANSWER_TIMEOUT_S)
        if not answer.analysis.intents:
            raise FaultError("NO_ANSWER", "an answer has no intents")

    async def hint(self, text: str) -> bool:  # noqa: ARG002  # a unary call has no beginnings
        """See `Caller`."""
        return False


class InferCaller:
    """Asks a server of the v2 inference protocol, such as MLServer; implements `Caller`."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub: Any = service_pb2_grpc.GRPCInferenceServiceStub(channel)

    async def ask(self, text: str) -> None:
        """See `Caller`."""
        contents = service_pb2.InferTensorContents(bytes_contents=[text.encode()])
        tensor = service_pb2.ModelInferRequest.InferInputTensor(
            name="text", datatype="BYTES", shape=[1, 1], contents=contents
        )
        request = service_pb2.ModelInferRequest(model_name="intent", inputs=[tensor])
        answer = await self._stub.ModelInfer(request, timeout=ANSWER_TIMEOUT_S)
        if {output.name for output in answer.outputs} != OUTPUTS:
            raise FaultError("NO_ANSWER", "an answer lacks outputs")

    async def hint(self, text: str) -> bool:  # noqa: ARG002  # a unary call has no beginnings
        """See `Caller`."""
        return False
