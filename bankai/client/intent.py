"""Utterances and live calls: what a caller wants and feels."""

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Sequence
from typing import Any, TypeVar

import grpc

from bankai.client.calls import CallClient
from bankai.intent.v1 import intent_pb2 as pb
from bankai.intent.v1 import intent_pb2_grpc
from bankai.status import from_rpc_error

Metadata = Sequence[tuple[str, str]]
Answer = TypeVar("Answer")


class IntentClient:
    """Classifies utterances, and follows calls.

    Every method raises the BankaiError that the service, the gateway or the connection ended the call with.

    Args:
        channel: To the gateway or a service.
        metadata: Sent with every call.
    """

    def __init__(self, channel: grpc.aio.Channel, metadata: Metadata = ()) -> None:
        self._channel = channel
        # The generated stub is typed for both kinds of channels, and so for neither.
        self._stub: Any = intent_pb2_grpc.IntentServiceStub(channel)
        self._metadata = metadata

    async def classify(
        self, text: str, *, context: Sequence[str] = (), language: str = "", timeout_s: float | None = None
    ) -> pb.UtteranceAnalysis:
        """What one utterance says.

        Args:
            text: What the caller said.
            context: Earlier utterances of the same caller in this call, the oldest first.
            language: "zh", "en", or empty for either.
            timeout_s: Longest to wait, in seconds; None leaves it to the service config.
        """
        request = pb.ClassifyRequest(text=text, context=context, language=language)
        call = self._stub.Classify(request, metadata=self._metadata, timeout=timeout_s)
        answer: pb.ClassifyResponse = await _answered(call)
        return answer.analysis

    async def intents(self) -> pb.ListIntentsResponse:
        """What can be told: every intent and every emotion, with their names."""
        call = self._stub.ListIntents(pb.ListIntentsRequest(), metadata=self._metadata)
        answer: pb.ListIntentsResponse = await _answered(call)
        return answer

    def call(self, config: pb.CallConfig) -> CallClient:
        """A live call, to be entered: `async with client.intent.call(config) as call`."""
        return CallClient(self._channel, config, self._metadata)

    async def follow(
        self, config: pb.CallConfig, segments: AsyncIterable[pb.Segment]
    ) -> AsyncIterator[pb.SegmentAnalysis | pb.CallSummary]:
        """Feeds a call with final segments, and ends it with them.

        Yields:
            The answer to each segment, then the call's summary.
        """
        async with self.call(config) as call:
            async for segment in segments:
                yield await call.ask(segment)
            yield await call.finish()


async def _answered(call: Awaitable[Answer]) -> Answer:
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        raise from_rpc_error(error) from None
