"""A caller of the bare model in its own process: the floor of what a paced load can be answered in."""

import asyncio
import threading
from collections import deque
from typing import Self

from bankai.inference.backend import Tensors
from benchmarks.bare import BareModel, shape_of, stack

_Wait = tuple[Tensors, asyncio.Future[None]]


class BareCaller:
    """Runs what waits in batches of one shape, as soon as a thread is free; implements `benchmarks.callers.Caller`.

    A context manager: leaving it ends the threads.
    """

    def __init__(self) -> None:
        self._model = BareModel()
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[_Wait] = deque()
        self._changed = threading.Condition()
        self._open = True
        self._threads = [threading.Thread(target=self._work) for _ in range(self._model.config.instances)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._open = False
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    async def ask(self, text: str) -> None:
        """See `Caller`."""
        answer: asyncio.Future[None] = self._loop.create_future()
        with self._changed:
            self._waiting.append((self._model.encode(text), answer))
            self._changed.notify()
        await answer

    async def hint(self, text: str) -> bool:  # noqa: ARG002  # beginnings are another model's work
        """See `Caller`."""
        return False

    def _work(self) -> None:
        while batch := self._take():
            self._model.run(stack([inputs for inputs, _ in batch]))
            self._loop.call_soon_threadsafe(_answer, batch)

    def _take(self) -> list[_Wait]:
        """The oldest that waits and what can run with it; empty at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or not self._open)
            if not self._waiting:
                return []
            key, most = shape_of(self._waiting[0][0]), self._model.config.max_batch_size
            fitting: list[_Wait] = []
            rest: deque[_Wait] = deque()
            for wait in self._waiting:
                (fitting if len(fitting) < most and shape_of(wait[0]) == key else rest).append(wait)
            self._waiting = rest
            return fitting


def _answer(batch: list[_Wait]) -> None:
    for _, answer in batch:
        if not answer.done():
            answer.set_result(None)
