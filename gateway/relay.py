"""Passes one call on: messages as bytes in both directions, metadata, status, deadline and cancellation."""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator

import grpc

from bankai.interceptors import Context
from bankai.interceptors.deadline import remaining
from gateway import failures
from gateway.metadata import RELEASE_TRAILER
from gateway.routing.attempts import Request, answered
from gateway.routing.backend import Backend, to_blame


async def unary(backend: Backend, request: Request, context: Context) -> bytes:
    """Passes on a unary call.

    Args:
        backend: Where it goes.
        request: What is sent.
        context: The client's call.

    Returns:
        The response, not parsed.

    Raises:
        grpc.aio.AbortError: The backend ended the call with an error, which is relayed.
        BankaiError: The way to the backend failed.
    """
    try:
        answer = await answered(backend, request)
    except grpc.aio.AioRpcError as error:
        if error.initial_metadata():
            await context.send_initial_metadata(tuple(error.initial_metadata()))
        await failures.relay(error, context)
    if answer.initial:
        await context.send_initial_metadata(answer.initial)
    context.set_trailing_metadata((*answer.trailing, (RELEASE_TRAILER, backend.release)))
    return answer.message


async def stream(backend: Backend, request: Request, requests: AsyncIterator[bytes], context: Context) -> None:
    """Passes on a call of any kind, message by message. It is never sent again.

    Each direction reads the next message once the last one is written, so that a slow reader slows the writer down and
    at most one message a direction is held here.

    Args:
        backend: Where it goes.
        request: What the call is; its message is not sent.
        requests: The client's messages, not parsed; their end is its half-close.
        context: The client's call.

    Raises:
        grpc.aio.AbortError: The backend ended the call with an error, which is relayed.
        BankaiError: The way to the backend failed.
    """
    backend.admit(weighed=request.weighed)
    left = remaining()
    call: grpc.aio.StreamStreamCall[bytes, bytes] = backend.channel.stream_stream(request.method.path)(
        metadata=request.metadata, timeout=None if math.isinf(left) else left
    )
    upwards = asyncio.create_task(send_all(requests, call))
    begun = False
    try:
        initial = await call.initial_metadata()
        if initial or not call.done():
            begun = True
            backend.note(failed=False, weighed=request.weighed)
            # At once, as a client may wait for it before it sends anything.
            await context.send_initial_metadata(tuple(initial))
        while (response := await call.read()) is not grpc.aio.EOF:
            await context.write(response)
        context.set_trailing_metadata((*await call.trailing_metadata(), (RELEASE_TRAILER, backend.release)))
        backend.count(grpc.StatusCode.OK)
    except grpc.aio.AioRpcError as error:
        backend.count(error.code())
        # The streams of one lost pod, however many, say nothing about the other pods: only calls that never began do.
        if not (begun and failures.lost(error)):
            backend.note(failed=to_blame(error), weighed=request.weighed)
        await failures.relay(error, context)
    finally:
        call.cancel()
        upwards.cancel()
        # An error that ended it, such as a limit of the channel, ends the call where it was raised.
        await asyncio.gather(upwards, return_exceptions=True)


async def send_all(requests: AsyncIterator[bytes], call: grpc.aio.StreamStreamCall[bytes, bytes]) -> None:
    """Passes on the client's messages until it half-closes or the backend ends the call.

    The backend may end the call at any time, whatever is being written: its status is read, and relayed, elsewhere.
    """
    # grpc's own call.write, when it meets the end of the call, replaces the backend's status with INTERNAL, "Internal
    # error from Core", and drops the messages not read yet; this is what it wraps.
    write = call._cython_call.send_serialized_message  # type: ignore[attr-defined]  # private, see above
    with contextlib.suppress(grpc.aio.AioRpcError, grpc.aio.InternalError, asyncio.InvalidStateError):
        await call.wait_for_connection()
        async for request in requests:
            await write(request)
        await call.done_writing()


def as_is(message: bytes) -> bytes:
    """Serialises and parses what is bytes already."""
    return message
