"""Knows whether anyone is inside, and waits until no one is."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Occupancy:
    """Counts who is inside."""

    def __init__(self) -> None:
        self._inside = 0
        self._empty = asyncio.Event()
        self._empty.set()

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Counts one more while within the context."""
        self._inside += 1
        self._empty.clear()
        try:
            yield
        finally:
            self._inside -= 1
            if not self._inside:
                self._empty.set()

    async def emptied(self, within_s: float) -> None:
        """Waits until no one is inside, or the time is over.

        Args:
            within_s: Longest time to wait, in seconds.
        """
        try:
            async with asyncio.timeout(within_s):
                await self._empty.wait()
        except TimeoutError:
            return
