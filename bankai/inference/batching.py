"""Dynamic micro-batching as Triton's scheduler does it, inside one event loop.

A request runs as soon as an instance is free. What arrives while all are busy waits and is then run together, as far as
the shapes are equal and the model's config.pbtxt allows. A lone request never waits unless the configuration asks for a
delay.
"""

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from bankai.errors import BankaiError, ExhaustedError, FaultError
from bankai.inference import failures
from bankai.inference.admission import BatchKey
from bankai.inference.backend import Tensor, Tensors
from bankai.inference.config import BatchPolicy, QueuePolicy
from bankai.inference.execution import Outcome, Run, run_batch
from bankai.inference.metrics import BatcherMetrics
from bankai.inference.workers import Workers

# A timer of the loop may ring up to its resolution, a millisecond, too early.
_TIMER_RESOLUTION = 0.002


def batch_length(rows: Iterable[int], age: float, policy: BatchPolicy | None) -> int:
    """How many requests from the head of a queue run together now.

    Args:
        rows: Rows of each waiting request, oldest first; at least one.
        age: Seconds that the oldest has waited.
        policy: How to batch; None runs each alone.

    Returns:
        Number of requests; 0 means waiting for company until the oldest is `policy.max_delay` old.
    """
    if policy is None:
        return 1
    total = count = preferred = 0
    full = False
    for more in rows:
        if total + more > policy.max_rows:
            full = True
            break
        total += more
        count += 1
        if total in policy.preferred_rows:
            preferred = count
    overdue = 0 < policy.max_delay <= age
    if preferred and not overdue:
        return preferred
    if full or overdue or not policy.max_delay or total >= policy.preferred_rows[-1]:
        return count
    return 0


class _Request:
    """One caller's wait for an answer."""

    __slots__ = ("deadline", "enqueued", "future", "inputs", "key", "queued", "rows", "timer")

    def __init__(self, inputs: Tensors, rows: int, key: BatchKey, timeout: float) -> None:
        self.inputs = inputs
        self.rows = rows
        self.key = key
        self.queued = False
        self.enqueued = time.monotonic()
        self.deadline = self.enqueued + timeout
        self.future: asyncio.Future[dict[str, Tensor]] = asyncio.get_running_loop().create_future()
        self.timer: asyncio.TimerHandle | None = None

    @property
    def abandoned(self) -> bool:
        return self.future.done()

    def fail(self, error: BankaiError) -> None:
        if not self.future.done():
            self.future.set_exception(error)


class _Done(NamedTuple):
    """What came of a batch; `seconds` is how long it took."""

    batch: Sequence[_Request]
    outcomes: list[Outcome]
    seconds: float


class Batcher:
    """Queues one model's requests and runs them in batches. Belongs to the event loop that creates it.

    Args:
        run: Runs the model on stacked inputs; called in threads.
        name: Name of the model, for metrics and threads.
        instances: Runs at the same time.
        batching: How requests are joined; None runs each alone.
        queue: Limits of the queue.
    """

    def __init__(
        self, run: Run, *, name: str, instances: int, batching: BatchPolicy | None, queue: QueuePolicy
    ) -> None:
        self._run = run
        self._batching = batching
        self._limits = queue
        self._loop = asyncio.get_running_loop()
        self._workers = Workers(f"inference-{name}", instances, self._loop)
        self._idle = instances
        # Per shape the waiting requests, oldest first. Ordered dicts drop a cancelled one from the middle at once.
        self._groups: dict[BatchKey, OrderedDict[_Request, None]] = {}
        self._waiting = 0
        self._soon: asyncio.Handle | None = None
        self._later: asyncio.TimerHandle | None = None
        self._closed = False
        self._unanswered = 0
        self._answered = asyncio.Event()
        self._metrics = BatcherMetrics(name)

    async def submit(self, inputs: Tensors, *, rows: int, key: BatchKey, timeout: float) -> dict[str, Tensor]:  # noqa: ASYNC109  # kept with the request
        """Waits for the answer to one request.

        Args:
            inputs: Tensors that have been admitted.
            rows: Rows of the request.
            key: Equal for requests that may share a batch.
            timeout: Seconds until the answer is of no use any more.

        Raises:
            ExhaustedError: INFERENCE_QUEUE_FULL, or INFERENCE_QUEUE_TIMEOUT where the wait was longer than the model's
                queue policy allows.
            DeadlineError: DEADLINE_EXCEEDED.
            UnavailableError: INFERENCE_UNAVAILABLE, when the backend is closed meanwhile.
            FaultError: INFERENCE_FAILED.
        """
        if self._closed:
            raise failures.closed()
        if timeout <= 0:
            raise failures.too_late()
        self._make_room()
        request = _Request(inputs, rows, key, timeout)
        self._enqueue(request)
        self._unanswered += 1
        try:
            return await request.future
        finally:
            if request.timer:
                request.timer.cancel()
            if request.queued:  # the caller was cancelled
                self._drop(request)
            self._unanswered -= 1
            if not self._unanswered:
                self._answered.set()

    async def drain(self) -> None:
        """Answers everything that was submitted, then closes. Nothing may be submitted any more."""
        self._answered.clear()
        if self._unanswered:
            await self._answered.wait()
        await self.close()

    async def close(self) -> None:
        """Answers what waits UnavailableError, lets what runs finish, and ends the threads."""
        self._closed = True
        self._forget_handles()
        for group in list(self._groups.values()):
            for request in list(group):
                self._drop(request)
                request.fail(failures.closed())
        await self._workers.close()

    def _make_room(self) -> None:
        if not self._limits.max_size or self._waiting < self._limits.max_size:
            return
        self._dispatch()  # what arrived in this turn of the loop may not have been handed out yet
        if self._waiting >= self._limits.max_size:
            raise ExhaustedError("INFERENCE_QUEUE_FULL", "too many requests are waiting", retry_after=0.1)

    def _enqueue(self, request: _Request) -> None:
        group = self._groups.get(request.key)
        if group is None:
            group = self._groups[request.key] = OrderedDict()
        group[request] = None
        request.queued = True
        self._waiting += 1
        self._metrics.queue_length.inc()
        self._arm(request)
        # Handing out at the end of this turn of the loop lets requests that arrive together share their first batch.
        if self._idle and not self._soon:
            self._soon = self._loop.call_soon(self._dispatch)

    def _drop(self, request: _Request) -> None:
        group = self._groups[request.key]
        del group[request]
        if not group:
            del self._groups[request.key]
        request.queued = False
        self._waiting -= 1
        self._metrics.queue_length.dec()

    def _arm(self, request: _Request) -> None:
        wait = request.deadline - time.monotonic()
        if self._limits.timeout and request.queued:
            wait = min(wait, self._limits.timeout)
        if not math.isinf(wait):
            request.timer = self._loop.call_later(max(wait, 0), self._expire, request)

    def _expire(self, request: _Request) -> None:
        late = request.deadline - time.monotonic() <= _TIMER_RESOLUTION
        if not late and not request.queued:
            self._arm(request)  # it runs: now only its own deadline counts
            return
        if request.queued:
            self._drop(request)
        if late:
            request.fail(failures.too_late())
        else:
            request.fail(ExhaustedError("INFERENCE_QUEUE_TIMEOUT", "the request waited too long", retry_after=0.1))

    def _dispatch(self) -> None:
        """Gives batches to idle instances until either runs out."""
        self._forget_handles()
        now = time.monotonic()
        while self._idle and self._groups:
            batch, wait = self._next_batch(now)
            if not batch:
                self._later = self._loop.call_later(wait, self._dispatch)
                return
            batch = self._take(batch, now)
            if batch:
                self._idle -= 1
                self._workers.submit(self._execute, batch, self._finish)

    def _take(self, batch: Sequence[_Request], now: float) -> Sequence[_Request]:
        """Takes requests out of the queue and drops those whose time is up: a busy loop rings their timers late."""
        for request in batch:
            self._drop(request)
            if request.deadline <= now:
                request.fail(failures.too_late())
            else:
                self._metrics.queue_seconds.observe(now - request.enqueued)
        return [request for request in batch if not request.abandoned]

    def _forget_handles(self) -> None:
        for handle in (self._soon, self._later):
            if handle:
                handle.cancel()
        self._soon = self._later = None

    def _next_batch(self, now: float) -> tuple[Sequence[_Request], float]:
        """The next batch, or else the seconds until one is due. Shapes take turns by their oldest request."""
        wait = math.inf
        groups = list(self._groups.values())
        if len(groups) > 1:
            groups.sort(key=lambda group: next(iter(group)).enqueued)
        for group in groups:
            age = now - next(iter(group)).enqueued
            length = batch_length((request.rows for request in group), age, self._batching)
            if length:
                return [request for request, _ in zip(group, range(length), strict=False)], 0
            if self._batching:
                wait = min(wait, self._batching.max_delay - age)
        return (), wait

    def _execute(self, batch: Sequence[_Request]) -> _Done:
        start = time.perf_counter()
        outcomes = run_batch(self._run, batch)
        return _Done(batch, outcomes, time.perf_counter() - start)

    def _finish(self, done: _Done) -> None:
        self._idle += 1
        self._metrics.execution_seconds.observe(done.seconds)
        self._metrics.batch_rows.observe(sum(request.rows for request in done.batch))
        for request, outcome in zip(done.batch, done.outcomes, strict=True):
            if request.future.done() or outcome is None:
                continue
            if isinstance(outcome, BaseException):
                error = FaultError("INFERENCE_FAILED", "the model could not process the request")
                error.__cause__ = outcome
                request.future.set_exception(error)
            else:
                request.future.set_result(outcome)
        self._dispatch()
