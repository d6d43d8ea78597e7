"""How many documents are worked on at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import Gauge

from bankai.errors import ExhaustedError

_WAITING = Gauge("bankai_doc_extract_waiting", "Documents of calls that wait until others have been read.")
_RETRY_AFTER_S = 5.0


class Slots:
    """Lets so many work at once and so many wait; refuses the rest, who would only wait for their deadline.

    Args:
        size: How many work at once.
        max_waiting: How many wait at most.
    """

    def __init__(self, size: int, max_waiting: int) -> None:
        self._free = asyncio.Semaphore(size)
        self._waiting = 0
        self._max_waiting = max_waiting

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Waits for a slot and holds it.

        Raises:
            ExhaustedError: EXTRACTIONS_FULL.
        """
        if self._free.locked() and self._waiting >= self._max_waiting:
            raise ExhaustedError(
                "EXTRACTIONS_FULL", "too many documents wait to be read; try again", retry_after=_RETRY_AFTER_S
            )
        self._waiting += 1
        try:
            with _WAITING.track_inprogress():
                await self._free.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._free.release()
