"""The base of all server interceptors: something that happens around a call, whatever its kind.

A subclass implements `around` and is applied alike to unary and streaming calls and to handlers that pass bytes. A
handler, however it is written (coroutine, async generator, reader/writer), is run as one coroutine in the call's own
task, so that `around` is entered and left in one task and one context, also on abort and on cancellation.
"""

import asyncio
import inspect
import time
from abc import abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc

from bankai.redaction import redact_text

if TYPE_CHECKING:  # generic for the type checker only
    MethodHandler = grpc.RpcMethodHandler[Any, Any]
else:
    MethodHandler = grpc.RpcMethodHandler

Context = grpc.aio.ServicerContext[Any, Any]
Behaviour = Callable[[Any, Context], Awaitable[Any]]
Continuation = Callable[[grpc.HandlerCallDetails], Awaitable[MethodHandler | None]]

# By how much a cancellation may follow the end of the requests; 16 ms were seen with 1,000 calls cancelled at once, and
# more than 20 on a machine with too much to do.
_CANCELLATION_S = 0.05
_CANCELLATION_ROUNDS = 3
# A client whose deadline passes cancels, and that may arrive before the deadline passes here: time left that is none.
DEADLINE_SLACK_S = 0.05


@dataclass(slots=True)
class CallInfo:
    """What interceptors know of a call.

    Attributes:
        method: Full name, e.g. "/bankai.intent.v1.IntentService/Classify".
        request_streaming: Whether the client sends a stream.
        response_streaming: Whether the server sends a stream.
        metadata: What the client sent along, in its order.
        started: `time.perf_counter()` at the call's arrival.
        received: Request messages so far.
        sent: Response messages so far.
        reason: Reason of the error that ended the call, once there is one.
    """

    method: str
    request_streaming: bool
    response_streaming: bool
    metadata: Sequence[tuple[str, str | bytes]]
    started: float = field(default_factory=time.perf_counter)
    received: int = 0
    sent: int = 0
    reason: str = ""

    @property
    def shown(self) -> str:
        """The method as telemetry may show it: a client can call whatever it likes, a customer's number, too."""
        return redact_text(self.method)

    @property
    def service(self) -> str:
        """Full name of the service."""
        return self.method[1:].rpartition("/")[0]

    @property
    def name(self) -> str:
        """Name of the rpc within its service."""
        return self.method.rpartition("/")[2]

    @property
    def kind(self) -> str:
        """One of unary, client_stream, server_stream and bidi_stream."""
        if self.request_streaming:
            return "bidi_stream" if self.response_streaming else "client_stream"
        return "server_stream" if self.response_streaming else "unary"

    def header(self, key: str) -> str | None:
        """The first value of a text header, if the client sent it."""
        for name, value in self.metadata:
            if name == key and isinstance(value, str):
                return value
        return None


class Handler(MethodHandler):
    """One call's handler in uniform shape. Made for each call, so that interceptors may change it in place.

    Attributes:
        call: What is known of the call.
        behaviour: Takes the request or the request iterator; returns the response, or writes all responses itself.
    """

    __slots__ = (
        "behaviour",
        "call",
        "request_deserializer",
        "request_streaming",
        "response_serializer",
        "response_streaming",
    )

    def __init__(self, handler: MethodHandler, details: grpc.HandlerCallDetails) -> None:
        self.request_streaming = bool(handler.request_streaming)
        self.response_streaming = bool(handler.response_streaming)
        self.request_deserializer = handler.request_deserializer
        self.response_serializer = handler.response_serializer
        self.call = CallInfo(
            details.method, self.request_streaming, self.response_streaming, details.invocation_metadata or ()
        )
        self.behaviour = _uniform(handler)
        self._count()

    @property
    def unary_unary(self) -> Any:  # type: ignore[override]  # grpc only reads it
        """What grpc calls; the same for all kinds of call."""
        return self.behaviour

    unary_stream = stream_unary = stream_stream = unary_unary

    def _count(self) -> None:
        call, decode, encode = self.call, self.request_deserializer, self.response_serializer

        def counted_decode(raw: bytes) -> Any:
            call.received += 1
            return raw if decode is None else decode(raw)

        def counted_encode(message: Any) -> bytes:
            encoded: bytes = message if encode is None else encode(message)
            call.sent += 1
            return encoded

        self.request_deserializer, self.response_serializer = counted_decode, counted_encode


def _uniform(handler: MethodHandler) -> Behaviour:
    if handler.request_streaming:
        behaviour: Any = handler.stream_stream if handler.response_streaming else handler.stream_unary
    else:
        behaviour = handler.unary_stream if handler.response_streaming else handler.unary_unary
    generates = handler.response_streaming and inspect.isasyncgenfunction(behaviour)
    if not generates and not inspect.iscoroutinefunction(behaviour):
        raise TypeError("handlers must be coroutine functions or async generator functions")
    run: Behaviour = _write_all(behaviour) if generates else behaviour
    if not handler.request_streaming:
        return run

    async def read_all(_requests: Any, context: Context) -> Any:
        return await run(_Requests(context), context)

    return read_all


def _write_all(behaviour: Callable[[Any, Context], AsyncGenerator[Any, None]]) -> Behaviour:
    async def write_all(request: Any, context: Context) -> None:
        async with aclosing(behaviour(request, context)) as responses:
            async for response in responses:
                await context.write(response)

    return write_all


class _Requests(AsyncIterator[Any]):
    """A call's request messages, whose end means that the client has half-closed.

    grpc.aio ends the stream alike for a client that has vanished, and cancels the handler an instant later. Handlers
    must not take that for a half-close (and, say, end a phone call that is to be resumed), so the end waits so long.
    """

    __slots__ = ("_read",)

    def __init__(self, context: Context) -> None:
        self._read = context.read

    async def __anext__(self) -> Any:
        message = await self._read()
        if message is grpc.aio.EOF:
            await asyncio.sleep(_CANCELLATION_S)
            for _ in range(_CANCELLATION_ROUNDS):  # a loop that lags runs its timers before it hears of cancellations
                await asyncio.sleep(0)
            raise StopAsyncIteration
        return message


class BaseInterceptor(grpc.aio.ServerInterceptor):
    """Changes the handler of every call. Most interceptors derive from one of the two classes below."""

    @abstractmethod
    def wrap(self, handler: Handler) -> None:
        """Puts this interceptor around a call's handler, in place."""

    async def intercept_service(
        self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails
    ) -> MethodHandler | None:
        """Called by grpc for every call."""
        found = await continuation(handler_call_details)
        if found is None:
            return None
        handler = found if isinstance(found, Handler) else Handler(found, handler_call_details)
        self.wrap(handler)
        return handler


class Interceptor(BaseInterceptor):
    """Does something around every call."""

    @abstractmethod
    def around(self, call: CallInfo, context: Context) -> AbstractAsyncContextManager[None]:
        """Entered before the handler runs and left after it, with its exception if it raised one.

        What it raises itself ends the call; a BankaiError becomes the call's status where the errors interceptor is
        further out. It must not swallow `asyncio.CancelledError` or `grpc.aio.AbortError`.
        """

    def wrap(self, handler: Handler) -> None:
        """Runs the handler within `around`."""
        around, behaviour, call = self.around, handler.behaviour, handler.call

        async def wrapped(request: Any, context: Context) -> Any:
            async with around(call, context):
                return await behaviour(request, context)

        handler.behaviour = wrapped


class SyncInterceptor(BaseInterceptor):
    """Does something around every call without ever awaiting, for a third of the cost."""

    @abstractmethod
    def around(self, call: CallInfo, context: Context) -> AbstractContextManager[None]:
        """As `Interceptor.around`."""

    def wrap(self, handler: Handler) -> None:
        """Runs the handler within `around`."""
        around, behaviour, call = self.around, handler.behaviour, handler.call

        async def wrapped(request: Any, context: Context) -> Any:
            with around(call, context):
                return await behaviour(request, context)

        handler.behaviour = wrapped


def outcome(context: Context, error: BaseException | None) -> grpc.StatusCode:
    """The status with which a call ends, as an interceptor outside of the errors interceptor sees it.

    Args:
        context: The call's context.
        error: The exception with which the handler ended, if any.
    """
    if isinstance(error, asyncio.CancelledError):
        # Core cancels the handler both when the client goes away and when the client's deadline passes.
        left: float | None = context.time_remaining()
        late = left is not None and left <= DEADLINE_SLACK_S
        return grpc.StatusCode.DEADLINE_EXCEEDED if late else grpc.StatusCode.CANCELLED
    if isinstance(error, grpc.aio.InternalError):  # a write to a client that is gone
        return grpc.StatusCode.CANCELLED
    code: grpc.StatusCode | None = context.code()
    if error is None:
        return code or grpc.StatusCode.OK
    return grpc.StatusCode.UNKNOWN if code in (None, grpc.StatusCode.OK) else code
