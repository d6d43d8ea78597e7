"""Prometheus metrics of the work that callers wait for, piece by piece: a final segment, a document, a site.

A stream or a batch is one call however much it carries, so the metrics of calls do not tell how its pieces fare.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Histogram

from bankai.errors import BankaiError
from bankai.status import internal_error

_BUCKETS = (0.005, 0.01, 0.02, 0.04, 0.06, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)

_ENDED = Counter(
    "bankai_work", "Pieces of work that ended, by status, and the error's reason.", ("work", "code", "reason")
)
_SECONDS = Histogram("bankai_work_seconds", "Time of one piece of work that succeeded.", ("work",), buckets=_BUCKETS)


class WorkMetrics:
    """What is measured of one kind of work.

    Args:
        work: Its name, in the singular.
    """

    # Children are looked up once: every kind is told from the start, at zero.
    def __init__(self, work: str) -> None:
        self._work = work
        self._seconds = _SECONDS.labels(work)
        self._good = _ENDED.labels(work, "OK", "")

    def done(self, since: float) -> None:
        """Counts a piece that succeeded.

        Args:
            since: When it came, by `time.perf_counter`.
        """
        self._seconds.observe(time.perf_counter() - since)
        self._good.inc()

    def failed(self, error: BankaiError) -> None:
        """Counts a piece that failed."""
        _ENDED.labels(self._work, error.code.name, error.reason).inc()

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Counts and times the piece inside. One that is cancelled counts for nothing: nobody waits for it."""
        since = time.perf_counter()
        try:
            yield
        except BankaiError as error:
            self.failed(error)
            raise
        except Exception:
            self.failed(internal_error())
            raise
        self.done(since)
