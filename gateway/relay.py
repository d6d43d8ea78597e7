"""Passes one call on: messages as bytes in both directions, metadata, status, deadline and cancellation."""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator

import grpc

from bankai.interceptors import Context
from bankai.interceptors.deadline import remaining
from gateway import failures
from gateway.metadata import Metadatum

Metadata = tuple[Metadatum, ...]


async def unary(channel: grpc.aio.Channel, method: str, request: bytes, context: Context, metadata: Metadata) -> bytes:
    """Passes on a unary call.

    Args:
        channel: Channel to the backend.
        method: Full path of the method.
        request: The request, not parsed.
        context: The client's call.
        metadata: What is sent along.

    Returns:
        The response, not parsed.

    Raises:
        grpc.aio.AbortError: The backend ended the call with an error, which is relayed.
        BankaiError: The way to the backend failed.
    """
    call: grpc.aio.UnaryUnaryCall[bytes, bytes] = channel.unary_unary(method, _as_is, _as_is)(
        request, metadata=metadata, timeout=_timeout()
    )
    try:
        response = await call
        initial = await call.initial_metadata()
        if initial:
            await context.send_initial_metadata(tuple(initial))
        context.set_trailing_metadata(tuple(await call.trailing_metadata()))
    except grpc.aio.AioRpcError as error:
        if error.initial_metadata():
            await context.send_initial_metadata(tuple(error.initial_metadata()))
        await failures.relay(error, context)
    finally:
        call.cancel()
    return response


async def stream(
    channel: grpc.aio.Channel, method: str, requests: AsyncIterator[bytes], context: Context, metadata: Metadata
) -> None:
    """Passes on a call of any kind, message by message.

    Each direction reads the next message once the last one is written, so that a slow reader slows the writer down and
    at most one message a direction is held here.

    Args:
        channel: Channel to the backend.
        method: Full path of the method.
        requests: The client's messages, not parsed; their end is its half-close.
        context: The client's call.
        metadata: What is sent along.

    Raises:
        grpc.aio.AbortError: The backend ended the call with an error, which is relayed.
        BankaiError: The way to the backend failed.
    """
    call: grpc.aio.StreamStreamCall[bytes, bytes] = channel.stream_stream(method, _as_is, _as_is)(
        metadata=metadata, timeout=_timeout()
    )
    upwards = asyncio.create_task(_upwards(requests, call))
    try:
        initial = await call.initial_metadata()
        if initial or not call.done():
            # At once, as a client may wait for it before it sends anything.
            await context.send_initial_metadata(tuple(initial))
        while (response := await call.read()) is not grpc.aio.EOF:
            await context.write(response)
        context.set_trailing_metadata(tuple(await call.trailing_metadata()))
    except grpc.aio.AioRpcError as error:
        await failures.relay(error, context)
    finally:
        call.cancel()
        upwards.cancel()
        # An error that ended it, such as a limit of the channel, ends the call where it was raised.
        await asyncio.gather(upwards, return_exceptions=True)


async def _upwards(requests: AsyncIterator[bytes], call: grpc.aio.StreamStreamCall[bytes, bytes]) -> None:
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


def _as_is(message: bytes) -> bytes:
    return message


def _timeout() -> float | None:
    left = remaining()
    return None if math.isinf(left) else left
