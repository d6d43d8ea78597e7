"""The engine for one machine: processes of its own, and nothing to install."""

from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context
from multiprocessing.util import Finalize

from bankai.bulk.process import WorkingProcess
from bankai.bulk.work import Outcome, Work
from bankai.errors import FaultError

_AHEAD = 2
_DEATHS = 3
"""How often processes may die without an item done between before the work is given up."""

_process: WorkingProcess | None = None


def run(work: Work, items: Sequence[str], workers: int) -> Iterator[Outcome]:
    """Works on items, in whatever order they get done. When a process dies, its items are worked on again.

    Args:
        work: The work.
        items: The items.
        workers: Processes.

    Yields:
        What became of each item.

    Raises:
        FaultError: WORKERS_DIE.
    """
    left = dict.fromkeys(items)
    deaths = 0
    while left:
        try:
            for outcome in _through(work, list(left), workers):
                del left[outcome["item"]]
                deaths = 0
                yield outcome
        except BrokenProcessPool:
            deaths += 1
            if deaths == _DEATHS:
                raise FaultError(
                    "WORKERS_DIE",
                    "the processes that work are killed again and again, perhaps for want of memory: name fewer "
                    "--workers; what is done stays done",
                ) from None


def _through(work: Work, items: Sequence[str], workers: int) -> Iterator[Outcome]:
    """Works on items with processes of which none dies."""
    waiting = iter(items)
    # A process that is forked may hang in what the threads of this one hold.
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_open, initargs=(work,))
    try:
        futures: set[Future[Outcome]] = {pool.submit(_do, item) for item in islice(waiting, workers * _AHEAD)}
        while futures:
            done, futures = wait(futures, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
                futures |= {pool.submit(_do, item) for item in islice(waiting, 1)}
    finally:
        pool.shutdown(cancel_futures=True)


def _open(work: Work) -> None:
    global _process  # noqa: PLW0603  # the pool's way to keep something in its processes
    _process = WorkingProcess(work)
    Finalize(None, _process.close, exitpriority=0)  # earlier than atexit, while there are still threads


def _do(item: str) -> Outcome:
    assert _process is not None, "the initializer has run"  # noqa: S101  # for the type checker
    return _process(item)
