"""The API of the intent service: message in, domain call, message out."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc

from bankai import vouching
from bankai.errors import BankaiError
from bankai.intent.v1 import intent_pb2 as pb
from bankai.intent.v1 import intent_pb2_grpc
from bankai.interceptors import deadline
from services.intent import converters
from services.intent.answers import ClientMessage, ServerMessage
from services.intent.calls import CallService
from services.intent.classifier import UtteranceClassifier
from services.intent.labels import Labels
from services.intent.model_versions import ModelVersions
from services.intent.validation import check_context, check_language, check_text

NAME = pb.DESCRIPTOR.services_by_name["IntentService"].full_name
"""Full name of the service."""

_TIMEOUT_S = 10.0
"""Time for the model where the call has no deadline at all."""

_STATUS_S = 5.0
"""Time for a stream's last status to reach its client."""

Context = grpc.aio.ServicerContext[Any, Any]


class IntentServicer(intent_pb2_grpc.IntentServiceServicer):
    """Answers the service's calls.

    Args:
        classifier: Analyses utterances.
        calls: Runs calls' streams.
        labels: What the model can tell apart.
        versions: Which version of the model answers.
    """

    def __init__(
        self, classifier: UtteranceClassifier, calls: CallService, labels: Labels, versions: ModelVersions
    ) -> None:
        self._classifier = classifier
        self._calls = calls
        self._labels = labels
        self._versions = versions

    async def Classify(self, request: pb.ClassifyRequest, context: Context) -> pb.ClassifyResponse:  # noqa: ARG002, N802  # grpc's
        """See the proto."""
        check_text(request.text, "text")
        check_language(request.language, "language")
        vouching.current().check_language(request.language)
        check_context(request.context)
        left = min(deadline.remaining(), _TIMEOUT_S)
        carry = await self._classifier.carry(request.context, left) if request.context else {}
        analysis = await self._classifier.full(request.text, carry, min(deadline.remaining(), left))
        best = analysis.best(converters.max_intents(request.max_intents))
        return pb.ClassifyResponse(analysis=converters.analysis_message(best))

    async def StreamCall(  # type: ignore[override]  # noqa: N802  # grpc's; it takes a coroutine that writes, too
        self, request_iterator: AsyncIterator[pb.StreamCallRequest], context: Context
    ) -> None:
        """See the proto."""

        async def requests() -> AsyncIterator[ClientMessage]:
            async for message in request_iterator:
                yield converters.client_message(message)

        async def send(message: ServerMessage) -> None:
            await context.write(converters.server_message(message))

        try:
            await self._calls.run(requests(), send)
        except BankaiError:
            _give_up_later(_STATUS_S)
            raise

    async def ListIntents(self, request: pb.ListIntentsRequest, context: Context) -> pb.ListIntentsResponse:  # noqa: ARG002, N802  # grpc's
        """See the proto."""
        return converters.label_set(self._labels, self._versions.current.version)


def _give_up_later(seconds: float) -> None:
    """Cancels the current call if it still runs by then.

    A status goes out behind the messages before it. To a client that does not read them it would wait, and hold the
    call's memory, for as long as the connection lives; cancelling resets the stream.
    """
    task = asyncio.current_task()
    if task is not None:  # as for every coroutine; only its type says otherwise
        timer = asyncio.get_running_loop().call_later(seconds, task.cancel)
        task.add_done_callback(lambda _: timer.cancel())
