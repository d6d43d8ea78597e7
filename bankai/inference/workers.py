"""Threads that run a model's batches and hand what came of it back to the event loop."""

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

J = TypeVar("J")
R = TypeVar("R")


class Workers:
    """A fixed number of threads for one event loop.

    A job costs one queue hand-over and one wake-up of the loop; `loop.run_in_executor` adds two futures to that.

    Args:
        name: Name of the threads, for people who look at them.
        count: Number of threads.
        loop: The loop that is told of results.
    """

    def __init__(self, name: str, count: int, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._jobs: SimpleQueue[tuple[Callable[[Any], Any], Any, Callable[[Any], None]] | None] = SimpleQueue()
        # Daemons, so that a process whose backend was never closed can still end.
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{index}", daemon=True) for index in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, run: Callable[[J], R], job: J, done: Callable[[R], None]) -> None:
        """Calls `run(job)` in a thread and then `done` with its result in the event loop.

        Args:
            run: What to call; it must not raise.
            job: What to call it with.
            done: What to call with the result.
        """
        self._jobs.put((run, job, done))

    async def close(self) -> None:
        """Lets the threads finish what they have and end."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            await asyncio.to_thread(thread.join)

    def _work(self) -> None:
        while work := self._jobs.get():
            run, job, done = work
            result = run(job)
            try:
                self._loop.call_soon_threadsafe(done, result)
            except RuntimeError:
                return  # the loop is closed: nobody is left to tell
            # An idle thread must not keep the tensors of its last job alive.
            del work, job, result
