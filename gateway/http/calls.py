"""Calls of the gateway's own gRPC server on behalf of HTTP clients."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc

from gateway.relay import as_is, send_all


@dataclass(frozen=True, slots=True)
class Terms:
    """What goes along with a call.

    Attributes:
        metadata: The client's credentials and the like.
        timeout_s: Seconds that the client gives it; None leaves it to the server.
    """

    metadata: Sequence[tuple[str, str | bytes]]
    timeout_s: float | None


async def unary(
    channel: grpc.aio.Channel, path: str, request: bytes, terms: Terms
) -> tuple[bytes, Sequence[tuple[str, str | bytes]]]:
    """Makes a unary call.

    Args:
        channel: Channel to the gateway.
        path: Full path of the method.
        request: The request, serialised.
        terms: What goes along.

    Returns:
        (the response, serialised; its trailing metadata)

    Raises:
        grpc.aio.AioRpcError: The call failed.
    """
    call: grpc.aio.UnaryUnaryCall[bytes, bytes] = channel.unary_unary(path, as_is, as_is)(
        request, metadata=terms.metadata, timeout=terms.timeout_s
    )
    try:
        return await call, tuple(await call.trailing_metadata())
    finally:
        call.cancel()


class Answers:
    """The messages that a streaming call answers, as they come."""

    def __init__(self, call: grpc.aio.StreamStreamCall[bytes, bytes], sending: asyncio.Task[None]) -> None:
        self._call = call
        self._sending = sending
        self._reading: asyncio.Task[Any] | None = None

    async def next(self, patience_s: float | None = None) -> Any:
        """The next message; `grpc.aio.EOF` at the end of a call that succeeded, None where none came in time.

        Args:
            patience_s: How long to wait for it, in seconds.

        Raises:
            grpc.aio.AioRpcError: The call failed.
            BankaiError: The client's messages cannot be read, which ends the call.
        """
        if self._reading is None:
            self._reading = asyncio.create_task(self._call.read())
        reading = self._reading
        waiting = {reading} if self._sending.done() else {reading, self._sending}
        done, _ = await asyncio.wait(waiting, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
        if self._sending.done():
            self._sending.result()
        if not reading.done():
            return await self.next(patience_s) if done else None
        self._reading = None
        return reading.result()

    async def trailers(self) -> Sequence[tuple[str, str | bytes]]:
        """The trailing metadata of a call that has ended."""
        return tuple(await self._call.trailing_metadata())

    async def close(self) -> None:
        """Ends the call, if it has not ended."""
        self._call.cancel()
        tasks = {self._sending, *({self._reading} if self._reading else ())}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def stream(
    channel: grpc.aio.Channel, path: str, requests: AsyncIterator[bytes], terms: Terms
) -> AsyncIterator[Answers]:
    """Makes a call of any kind that sends and answers at once; it is cancelled, and over, when the context is left.

    Args:
        channel: Channel to the gateway.
        path: Full path of the method.
        requests: The client's messages, serialised; read no faster than the call takes them.
        terms: What goes along.
    """
    call: grpc.aio.StreamStreamCall[bytes, bytes] = channel.stream_stream(path, as_is, as_is)(
        metadata=terms.metadata, timeout=terms.timeout_s
    )
    answers = Answers(call, asyncio.create_task(send_all(requests, call)))
    try:
        yield answers
    finally:
        await answers.close()
