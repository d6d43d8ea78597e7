"""A live call: its stream is taken up again when it breaks."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import grpc

from bankai.errors import DeadlineError, FaultError, InvalidRequestError, UnavailableError
from bankai.intent.v1 import intent_pb2 as pb
from bankai.intent.v1 import intent_pb2_grpc
from bankai.status import from_rpc_error

ANSWER_TIMEOUT_S = 30.0
MAX_RESUMES = 5
"""Attempts in a row to take a call up again."""
RESUME_DELAY_S = 0.5

Metadata = Sequence[tuple[str, str]]


class CallClient:
    """One call, one segment at a time. An async context manager: entering opens the stream, leaving gives it up.

    Args:
        channel: To the gateway or a service.
        config: What call this is.
        metadata: Sent with every stream.
    """

    def __init__(self, channel: grpc.aio.Channel, config: pb.CallConfig, metadata: Metadata = ()) -> None:
        self._stub = intent_pb2_grpc.IntentServiceStub(channel)
        self._config = config
        self._metadata = metadata
        self._answered = ""
        self._resumes = 0
        self._delay = RESUME_DELAY_S
        # grpc's types have no name for a stream that is read and written by hand.
        self._stream: Any = None

    async def __aenter__(self) -> "CallClient":
        with _our_errors():
            try:
                await self._open(resume=False)
            except grpc.aio.AioRpcError as error:
                await self._resume(error, begun=False)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._cancel()

    async def ask(self, segment: pb.Segment) -> pb.SegmentAnalysis:
        """Sends a final segment and waits for its answer.

        Raises:
            InvalidRequestError: The service rejected the segment; the call goes on.
            BankaiError: No answer came in time, the call could not be taken up again, or the service ended it.
        """
        with _our_errors():
            return await self._asked(segment)

    async def _asked(self, segment: pb.Segment) -> pb.SegmentAnalysis:
        send = True
        while True:
            cause = None
            try:
                if send:
                    await self._send(pb.StreamCallRequest(segment=segment))
                answer = await self._answer(segment.segment_id)
                if answer is not None:
                    return answer
            except grpc.aio.AioRpcError as error:
                cause = error
            # A segment that the service already knows is answered again without being sent again.
            send = await self._resume(cause) != segment.segment_id

    async def finish(self) -> pb.CallSummary:
        """Ends the call and waits for its summary.

        Raises:
            BankaiError: No summary came in time, the call could not be taken up again, or the service ended it.
        """
        with _our_errors():
            while True:
                cause = None
                try:
                    await self._stream.done_writing()
                    while (response := await self._receive()) is not None:
                        if response.HasField("summary"):
                            return response.summary
                except grpc.aio.AioRpcError as error:
                    cause = error
                await self._resume(cause)

    async def _answer(self, segment_id: str) -> pb.SegmentAnalysis | None:
        """The answer to a segment; None where the stream has to be opened anew."""
        while (response := await self._receive()) is not None:
            if response.HasField("rejected") and response.rejected.segment_id == segment_id:
                raise InvalidRequestError(response.rejected.reason, response.rejected.message)
            if response.HasField("analysis") and response.analysis.segment_id == segment_id:
                self._answered = segment_id
                self._resumes = 0
                return response.analysis
        return None

    async def _send(self, request: pb.StreamCallRequest) -> None:
        # A stream that has ended says why when it is read.
        with suppress(asyncio.InvalidStateError):
            try:
                await self._stream.write(request)
            except grpc.aio.AioRpcError as error:
                # grpc's own word for a write that meets the stream's end, in place of the reason that the service gave.
                if error.code() is not grpc.StatusCode.INTERNAL:
                    raise
                raise grpc.aio.AioRpcError(
                    grpc.StatusCode.UNAVAILABLE,
                    error.initial_metadata(),
                    error.trailing_metadata(),
                    "the stream ended while it was written to",
                ) from error

    async def _receive(self) -> pb.StreamCallResponse | None:
        """The next message; None where the stream is at its end or must be left."""
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                response = await self._stream.read()
        except TimeoutError:
            raise DeadlineError("NO_ANSWER", f"the service did not answer within {ANSWER_TIMEOUT_S:.0f} s") from None
        if response is grpc.aio.EOF:
            return None
        if response.HasField("reconnect"):
            self._delay = response.reconnect.retry_delay_ms / 1000
            return None
        message: pb.StreamCallResponse = response
        return message

    async def _open(self, *, resume: bool) -> str:
        """Opens a stream and returns the last segment that the service knows."""
        config = pb.CallConfig()
        config.CopyFrom(self._config)
        if resume:
            config.resume.last_segment_id = self._answered
        self._stream = self._stub.StreamCall(metadata=self._metadata)
        await self._send(pb.StreamCallRequest(config=config))
        response = await self._receive()
        if response is None or not response.HasField("accepted"):
            raise FaultError("NOT_ACCEPTED", "the service ended the stream without accepting the call")
        return response.accepted.last_segment_id

    async def _resume(self, cause: grpc.aio.AioRpcError | None, *, begun: bool = True) -> str:
        """Takes the call up again, after the service asked for it or its connection broke.

        Args:
            cause: With what the stream ended, where it was an error.
            begun: Whether the service has accepted the call before.
        """
        while True:
            self._cancel()
            self._resumes += 1
            if cause is not None and (cause.code() is not grpc.StatusCode.UNAVAILABLE or self._resumes > MAX_RESUMES):
                raise cause
            if self._resumes > MAX_RESUMES:
                raise UnavailableError("CALL_LOST", "the service keeps ending the stream")
            await asyncio.sleep(self._delay)
            self._delay = RESUME_DELAY_S
            try:
                return await self._open(resume=begun)
            except grpc.aio.AioRpcError as error:
                cause = error

    def _cancel(self) -> None:
        if self._stream is not None:
            self._stream.cancel()


@contextmanager
def _our_errors() -> Iterator[None]:
    try:
        yield
    except grpc.aio.AioRpcError as error:
        raise from_rpc_error(error) from None
