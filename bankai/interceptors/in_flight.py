"""Knows which handlers are still running, which grpc.aio forgets as soon as their status is sent."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from bankai.interceptors.base import CallInfo, Context, SyncInterceptor


class InFlightInterceptor(SyncInterceptor):
    """Counts running handlers. Belongs first in the chain, so that everything around a handler is done when it is."""

    def __init__(self) -> None:
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @contextmanager
    def around(self, call: CallInfo, context: Context) -> Iterator[None]:  # noqa: ARG002  # part of the protocol
        """Counts the handler while it runs, clean-up after its answer included."""
        self._running += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()

    async def idle(self) -> None:
        """Waits until no handler is running."""
        await self._idle.wait()
