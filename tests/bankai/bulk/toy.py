"""Bulk work that writes down what it does."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bankai.bulk.work import DONE, FAILED, Do, Outcome


@dataclass(frozen=True)
class ToyWork:
    """Notes every item in a file of the folder. "bad" items fail; a "deadly" one kills its process the first time, a
    "fatal" one always.
    """

    folder: Path

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Do]:
        (self.folder / f"opened-{os.getpid()}").touch()

        async def do(item: str) -> Outcome:
            if item.startswith("fatal") or (item.startswith("deadly") and self._first(item)):
                os.kill(os.getpid(), signal.SIGKILL)
            if item.startswith("bad"):
                return {"item": item, "outcome": FAILED, "reason": "BAD", "message": "it is bad"}
            return {"item": item, "outcome": DONE, "pid": os.getpid()}

        yield do
        (self.folder / f"closed-{os.getpid()}").touch()

    def _first(self, item: str) -> bool:
        try:
            (self.folder / item).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True
