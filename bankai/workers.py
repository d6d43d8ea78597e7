"""Workers in the background that take one piece of work after the other."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from bankai.errors import BankaiError

log = structlog.get_logger(__name__)


class Workers:
    """Looks for work again and again; what goes wrong with one piece does not end it.

    Args:
        work: Does the next piece of work; returns whether there was one.
        what: What the work is, for the log.
        workers: Pieces that are worked on at once.
        poll_s: Seconds between two looks for work that came without a `wake`, e.g. to another process.
    """

    def __init__(self, work: Callable[[], Awaitable[bool]], what: str, workers: int, poll_s: float) -> None:
        self._next, self._what, self._workers, self._poll_s = work, what, workers, poll_s
        self._news = asyncio.Event()

    def wake(self) -> None:
        """Tells that there is work, which is found by itself only a little later."""
        self._news.set()

    async def run(self) -> None:
        """Works until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._workers):
                group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            self._news.clear()
            try:
                found = await self._next()
            except BankaiError as error:
                log.warning("work must wait", work=self._what, reason=error.reason)
                found = False
            except Exception:  # whatever it is: the other work must not wait for a restart
                log.exception("work must wait", work=self._what)
                found = False
            if not found:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), self._poll_s)
