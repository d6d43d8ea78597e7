"""Hostile files are parsed in processes of their own: each has limits, can be killed, and is used once.

A worker is a module that reads its limits as JSON from its first argument, then one question from standard input up to
its end, and writes one answer to standard output: `b"E"` and an error's reason and message as JSON, or another letter
and whatever it found. `limit_this_process` and `answered` are the worker's side of this.
"""

import asyncio
import contextlib
import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import structlog

from bankai.errors import BankaiError, DeadlineError, ExhaustedError, InvalidRequestError

log = structlog.get_logger(__name__)

_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "PYTHONPATH", "VIRTUAL_ENV", "TMPDIR")
"""What of the environment a worker gets: no keys, no addresses."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What parsing one file may take.

    Attributes:
        memory_bytes: Address space of the process that parses.
        cpu_s: Seconds of computing time of it.
        wall_s: Seconds from the file's arrival to the answer.
    """

    memory_bytes: int
    cpu_s: int
    wall_s: float


@dataclass(frozen=True, slots=True)
class Refusals:
    """How a capability says what went wrong with a file.

    Attributes:
        too_costly: Makes the error for a file that hits a limit.
        broken: Makes the error for a file that broke its parser.
    """

    too_costly: Callable[[], InvalidRequestError]
    broken: Callable[[], InvalidRequestError]


class Sandbox:
    """Asks worker processes. Belongs to the event loop that uses it.

    Args:
        module: The worker.
        limits: A dataclass that the worker gets.
        costs: What one file may take.
        refusals: Errors of the capability.
        workers: Files that are parsed at the same time; one more process waits, warm, for the next.
    """

    def __init__(self, module: str, limits: Any, costs: Costs, refusals: Refusals, workers: int = 2) -> None:
        self._module, self._limits, self._costs, self._refusals = module, limits, costs, refusals
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

    async def ask(self, question: bytes, *, timeout: float) -> bytes:  # noqa: ASYNC109  # part of a deadline
        """What a worker answers that is no error, its letter included.

        Args:
            question: All that the worker reads.
            timeout: Seconds until the answer is of no use any more; cancelling ends the worker at once.

        Raises:
            InvalidRequestError: What the worker, or `Refusals`, says.
            ExhaustedError: READER_BUSY, no worker became free in time.
            DeadlineError: DEADLINE_EXCEEDED.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout
        try:
            await asyncio.wait_for(self._slots.acquire(), timeout)
        except TimeoutError:
            raise ExhaustedError("READER_BUSY", "too many files are being read; try again", retry_after=1.0) from None
        try:
            process = await self._worker()
            try:
                wait = min(self._costs.wall_s, end - loop.time())
                output, _ = await asyncio.wait_for(process.communicate(question), wait)
            except TimeoutError:
                if loop.time() >= end:
                    raise DeadlineError("DEADLINE_EXCEEDED", "the deadline passed while the file was read") from None
                raise self._refusals.too_costly() from None
            finally:
                await _ended(process)
        finally:
            self._slots.release()
        return self._checked(output, process.returncode or 0)

    def _checked(self, output: bytes, status: int) -> bytes:
        if output[:1] == b"E":
            reason, message = json.loads(output[1:])
            raise InvalidRequestError(reason, message)
        if output and status == 0:
            return output
        log.warning("reader ended", status=status)
        if -status in {signal.SIGKILL, signal.SIGXCPU, signal.SIGABRT}:
            raise self._refusals.too_costly()
        raise self._refusals.broken()

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
            self._module,
            json.dumps(asdict(self._limits)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={name: os.environ[name] for name in _KEPT if name in os.environ} | {"OPENBLAS_NUM_THREADS": "1"},
            start_new_session=True,
        )


def limit_this_process(memory_bytes: int, cpu_s: int) -> None:
    """Sets the limits of a worker: memory, computing time, no files written, few opened."""
    for which, most in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        resource.setrlimit(which, (most, most))


def answered(parse: Callable[[], bytes], too_costly: Callable[[], InvalidRequestError]) -> None:
    """Writes a worker's answer: what `parse` returns, or the error that it raises."""
    try:
        answer = parse()
    except BankaiError as error:
        answer = _refusal(error)
    except (MemoryError, RecursionError):
        answer = _refusal(too_costly())
    sys.stdout.buffer.write(answer)


def _refusal(error: BankaiError) -> bytes:
    """A worker's answer that says what is wrong with the file."""
    return b"E" + json.dumps([error.reason, error.message]).encode()


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Makes sure that a worker and whatever it started are gone."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
