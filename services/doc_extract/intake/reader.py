"""Files to pages, each in a process of its own that can be killed."""

import json
from collections.abc import Callable, Sequence
from typing import TypeVar

from bankai.errors import FaultError, InvalidRequestError
from bankai.sandbox import Costs, Refusals, Sandbox
from services.doc_extract.intake.failures import too_costly
from services.doc_extract.intake.limits import IntakeLimits
from services.doc_extract.intake.wire import unpacked, unpacked_pictures
from services.doc_extract.page import Page, PageImage, Scan

Told = TypeVar("Told")


class FileReader:
    """Reads files. Belongs to the event loop that uses it.

    Args:
        limits: How much one file may ask for.
        workers: Files that are read at the same time; one more process waits, warm, for the next.
    """

    def __init__(self, limits: IntakeLimits, workers: int = 2) -> None:
        costs = Costs(limits.memory_bytes, limits.cpu_s, limits.wall_s)
        self._sandbox = Sandbox(
            "services.doc_extract.intake.worker", limits, costs, Refusals(too_costly, _broken), workers
        )

    async def start(self) -> None:
        """Starts the first worker, so that the first file does not wait for it."""
        await self._sandbox.start()

    async def close(self) -> None:
        """Ends the worker that waits."""
        await self._sandbox.close()

    async def read(self, data: bytes, *, timeout: float) -> tuple[Page | Scan, ...]:  # noqa: ASYNC109  # part of a deadline
        """The pages of a file.

        Args:
            data: Its bytes.
            timeout: Seconds until the answer is of no use any more; cancelling ends the worker at once.

        Raises:
            InvalidRequestError: FILE_TOO_COSTLY where a limit of memory or time is hit, FILE_CORRUPT where the parser
                broke down, and what `media_of` and the readers raise.
            ExhaustedError: READER_BUSY, no worker became free in time.
            DeadlineError: DEADLINE_EXCEEDED.
        """
        return _told(await self._sandbox.ask(b"null\n" + data, timeout=timeout), b"P", unpacked)

    async def draw(self, data: bytes, numbers: Sequence[int], *, timeout: float) -> list[PageImage]:  # noqa: ASYNC109  # part of a deadline
        """Pictures of some of a file's pages.

        Args:
            data: Its bytes.
            numbers: Of the pages, from 1; few, for all are held in memory at once.
            timeout: As for `read`.

        Raises:
            BankaiError: As for `read`.
        """
        question = json.dumps(list(numbers)).encode() + b"\n" + data
        return _told(await self._sandbox.ask(question, timeout=timeout), b"I", unpacked_pictures)


def _broken() -> InvalidRequestError:
    return InvalidRequestError("FILE_CORRUPT", "the file broke its parser: save it anew and send it again")


def _told(output: bytes, sort: bytes, read: Callable[[bytes], Told]) -> Told:
    damaged = FaultError("READER_FAILED", "the file's pages came back damaged")
    if output[:1] != sort:
        raise damaged
    try:
        return read(output[1:])
    except ValueError as error:
        raise damaged from error
