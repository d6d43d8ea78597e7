"""A process that works: it opens what the work needs once, and then works on one item after the other."""

import asyncio
from contextlib import AsyncExitStack

from bankai.bulk.work import Outcome, Work


class WorkingProcess:
    """Works on items in an event loop of its own.

    Args:
        work: The work.
    """

    def __init__(self, work: Work) -> None:
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._do = self._runner.run(self._stack.enter_async_context(work.opened()))

    def __call__(self, item: str) -> Outcome:
        """Works on an item."""
        return self._runner.run(self._work(item))

    async def _work(self, item: str) -> Outcome:
        return await self._do(item)

    def close(self) -> None:
        """Closes what was opened."""
        self._runner.run(self._stack.aclose())
        self._runner.close()
