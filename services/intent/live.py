"""Which calls are carried by a stream of this process right now."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bankai.errors import ConflictError


def busy(call_id: str) -> ConflictError:
    """The call is carried by another stream."""
    return ConflictError(
        "CALL_BUSY", f"call {call_id!r} is carried by another stream; set resume to take it over from there"
    )


class _Stream:
    def __init__(self) -> None:
        self.must_end = asyncio.Event()
        self.ended = asyncio.Event()


class LiveCalls:
    """Lets one stream at a time carry a call."""

    def __init__(self) -> None:
        self._streams: dict[str, _Stream] = {}

    @asynccontextmanager
    async def carry(self, call_id: str, *, take_over: bool) -> AsyncIterator[asyncio.Event]:
        """Carries a call while the context is open.

        Args:
            call_id: The call.
            take_over: Whether a stream that carries it now, perhaps for a client that is long gone, must give way.

        Yields:
            An event that is set when this stream must give way: it must then leave the context at once.

        Raises:
            ConflictError: CALL_BUSY.
        """
        while (other := self._streams.get(call_id)) is not None:
            if not take_over:
                raise busy(call_id)
            other.must_end.set()
            await other.ended.wait()
        stream = self._streams[call_id] = _Stream()
        try:
            yield stream.must_end
        finally:
            del self._streams[call_id]
            stream.ended.set()
