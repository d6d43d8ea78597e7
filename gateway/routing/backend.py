"""One release of one service, as calls see it: a channel and what guards it."""

from collections.abc import Callable
from functools import partial
from typing import Protocol

import grpc
from prometheus_client import Counter

from bankai.errors import UnavailableError
from gateway import failures
from gateway.policy.model import Priority
from gateway.routing import metrics
from gateway.routing.breaker import Breaker
from gateway.routing.budget import RetryBudget
from gateway.routing.concurrency import AdaptiveLimit, Limit
from gateway.routing.model import Route


class Judge(Protocol):
    """Told how attempts end that a canary is judged by."""

    def __call__(self, *, failed: bool, seconds: float | None) -> None:
        """Notes whether one failed and, where there was an answer to a unary call, after how many seconds."""


# A deadline this near that passes says nothing about the backend: a caller in a hurry must not open its breaker.
_PATIENCE_S = 0.25
_FAULTS = (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.DATA_LOSS)


class Backend:
    """The way to one release of one service. Services of one target share a channel, and nothing else.

    Args:
        service: Full name of the service.
        release: Name of the release.
        channel: Channel to its target.
        route: The service's route.
        judge: Told how the attempts end that a canary is judged by.
    """

    def __init__(
        self, service: str, release: str, channel: grpc.aio.Channel, route: Route, judge: Judge | None
    ) -> None:
        self.release = release
        self.channel = channel
        self.budget = RetryBudget()
        self.calls = AdaptiveLimit(route.concurrency, self._count_shed("unary"))
        self.streams = Limit(route.concurrency.max_streams, self._count_shed("stream"))
        self._labels = (service, release)
        self._breaker = Breaker(route.breaker)
        self._judge = judge
        self._unary: dict[str, grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]] = {}
        self._seconds = metrics.SECONDS.labels(*self._labels)
        self._attempts: dict[grpc.StatusCode, Counter] = {}
        metrics.BREAKER.labels(*self._labels).set_function(lambda: self._breaker.state)
        for kind, limit in (("unary", self.calls), ("stream", self.streams)):
            metrics.LIMIT.labels(*self._labels, kind).set_function(partial(getattr, limit, "limit"))
            metrics.IN_FLIGHT.labels(*self._labels, kind).set_function(partial(getattr, limit, "in_flight"))

    def unary(self, path: str) -> grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]:
        """What calls a unary method.

        Args:
            path: Full path of the method; one of the descriptors', as what is made for it is kept.
        """
        callee = self._unary.get(path)
        if callee is None:
            callee = self._unary.setdefault(path, self.channel.unary_unary(path))
        return callee

    def admit(self, *, weighed: bool) -> None:
        """Lets an attempt through.

        Args:
            weighed: Whether a canary is judged by it.

        Raises:
            UnavailableError: BACKEND_CIRCUIT_OPEN.
        """
        try:
            self._breaker.admit()
        except UnavailableError:
            if weighed and self._judge is not None:
                self._judge(failed=True, seconds=None)
            raise

    def answered(self, method: str, seconds: float, *, weighed: bool) -> None:
        """Notes the good answer to a unary attempt.

        Args:
            method: Name of the rpc.
            seconds: How long it took.
            weighed: Whether a canary is judged by it.
        """
        self.budget.succeeded()
        self.calls.sample(method, seconds)
        self._seconds.observe(seconds)
        self.count(grpc.StatusCode.OK)
        self.note(failed=False, weighed=weighed, seconds=seconds)

    def refused(self, error: grpc.aio.AioRpcError, *, weighed: bool) -> None:
        """Notes that a unary attempt ended with an error other than a deadline."""
        self.count(error.code())
        self.note(failed=to_blame(error), weighed=weighed)

    def timed_out(self, method: str, seconds: float, *, weighed: bool) -> None:
        """Notes that the deadline of a unary attempt passed.

        Args:
            method: Name of the rpc.
            seconds: How long there was no answer.
            weighed: Whether a canary is judged by it.
        """
        self.count(grpc.StatusCode.DEADLINE_EXCEEDED)
        if seconds >= _PATIENCE_S:
            self.calls.sample(method, seconds)
            self.note(failed=True, weighed=weighed)

    def count(self, code: grpc.StatusCode) -> None:
        """Counts an attempt, or a stream, that ended."""
        if code not in self._attempts:
            self._attempts[code] = metrics.ATTEMPTS.labels(*self._labels, code.name)
        self._attempts[code].inc()

    def note(self, *, failed: bool, weighed: bool, seconds: float | None = None) -> None:
        """Tells the breaker, and the judge of a canary, how something ended.

        Args:
            failed: Whether the backend or the way to it is to blame.
            weighed: Whether a canary is judged by it.
            seconds: Time to the answer of a unary call.
        """
        self._breaker.record(failed=failed)
        if weighed and self._judge is not None:
            self._judge(failed=failed, seconds=seconds)

    def retried(self) -> None:
        """Counts a retry."""
        metrics.RETRIES.labels(*self._labels).inc()

    def hedged(self) -> None:
        """Counts a hedge."""
        metrics.HEDGES.labels(*self._labels).inc()

    def hedge_won(self) -> None:
        """Counts a hedge that answered first."""
        metrics.HEDGES_WON.labels(*self._labels).inc()

    def forget(self) -> None:
        """Takes its state out of the metrics."""
        metrics.BREAKER.remove(*self._labels)
        for kind in ("unary", "stream"):
            metrics.LIMIT.remove(*self._labels, kind)
            metrics.IN_FLIGHT.remove(*self._labels, kind)

    def _count_shed(self, kind: str) -> Callable[[Priority], None]:
        def count(priority: Priority) -> None:
            metrics.SHED.labels(*self._labels, kind, priority).inc()

        return count


def to_blame(error: grpc.aio.AioRpcError) -> bool:
    """Whether an error other than a passed deadline is the fault of the backend or of the way to it."""
    return error.code() in _FAULTS or failures.lost(error)
