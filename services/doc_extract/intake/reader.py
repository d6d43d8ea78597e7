"""Files to pages, each in a process of its own that can be killed."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TypeVar

import structlog

from bankai.errors import DeadlineError, ExhaustedError, FaultError, InvalidRequestError
from services.doc_extract.intake.failures import too_costly
from services.doc_extract.intake.limits import IntakeLimits
from services.doc_extract.intake.wire import unpacked, unpacked_pictures
from services.doc_extract.page import Page, PageImage, Scan

Told = TypeVar("Told")

log = structlog.get_logger(__name__)

_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "PYTHONPATH", "VIRTUAL_ENV", "TMPDIR")
"""What of the environment a worker gets: no keys, no addresses."""


class FileReader:
    """Reads files. Belongs to the event loop that uses it.

    Args:
        limits: How much one file may ask for.
        workers: Files that are read at the same time; one more process waits, warm, for the next.
    """

    def __init__(self, limits: IntakeLimits, workers: int = 2) -> None:
        self._limits = limits
        self._slots = asyncio.Semaphore(workers)
        self._warm: asyncio.Task[asyncio.subprocess.Process] | None = None

    async def start(self) -> None:
        """Starts the first worker, so that the first file does not wait for it."""
        self._warm_up()
        if self._warm:
            await asyncio.wait((self._warm,))

    async def close(self) -> None:
        """Ends the worker that waits."""
        if self._warm:
            warm, self._warm = self._warm, None
            await _ended(await warm)

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
        return _told(await self._asked(None, data, timeout), b"P", unpacked)

    async def draw(self, data: bytes, numbers: Sequence[int], *, timeout: float) -> list[PageImage]:  # noqa: ASYNC109  # part of a deadline
        """Pictures of some of a file's pages.

        Args:
            data: Its bytes.
            numbers: Of the pages, from 1; few, for all are held in memory at once.
            timeout: As for `read`.

        Raises:
            BankaiError: As for `read`.
        """
        return _told(await self._asked(numbers, data, timeout), b"I", unpacked_pictures)

    async def _asked(self, numbers: Sequence[int] | None, data: bytes, timeout: float) -> bytes:  # noqa: ASYNC109  # as above
        """What a worker answers."""
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout
        try:
            await asyncio.wait_for(self._slots.acquire(), timeout)
        except TimeoutError:
            raise ExhaustedError("READER_BUSY", "too many files are being read; try again", retry_after=1.0) from None
        try:
            process = await self._worker()
            try:
                wait = min(self._limits.wall_s, end - loop.time())
                question = json.dumps(numbers and list(numbers)).encode() + b"\n"
                output, _ = await asyncio.wait_for(process.communicate(question + data), wait)
            except TimeoutError:
                if loop.time() >= end:
                    raise DeadlineError("DEADLINE_EXCEEDED", "the deadline passed while the file was read") from None
                raise too_costly() from None
            finally:
                await _ended(process)
        finally:
            self._slots.release()
        return _answer(output, process.returncode or 0)

    async def _worker(self) -> asyncio.subprocess.Process:
        """The process that waits, if it still lives, and another in its place."""
        warm, self._warm = self._warm, None
        self._warm_up()
        if warm:
            process = await warm
            if process.returncode is None:
                return process
        return await self._spawn()

    def _warm_up(self) -> None:
        self._warm = asyncio.create_task(self._spawn())

    async def _spawn(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "services.doc_extract.intake.worker",
            json.dumps(asdict(self._limits)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={name: os.environ[name] for name in _KEPT if name in os.environ} | {"OPENBLAS_NUM_THREADS": "1"},
            start_new_session=True,
        )


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Makes sure that a worker and whatever it started are gone."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def _answer(output: bytes, status: int) -> bytes:
    """A worker's output that is no error."""
    if output[:1] in {b"P", b"I"}:
        return output
    if output[:1] == b"E":
        reason, message = json.loads(output[1:])
        raise InvalidRequestError(reason, message)
    log.warning("reader ended", status=status)
    if -status in {signal.SIGKILL, signal.SIGXCPU, signal.SIGABRT}:
        raise too_costly()
    raise InvalidRequestError("FILE_CORRUPT", "the file broke its parser: save it anew and send it again")


def _told(output: bytes, sort: bytes, read: Callable[[bytes], Told]) -> Told:
    damaged = FaultError("READER_FAILED", "the file's pages came back damaged")
    if output[:1] != sort:
        raise damaged
    try:
        return read(output[1:])
    except ValueError as error:
        raise damaged from error
