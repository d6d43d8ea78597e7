"""Limits on the calls that a backend has in flight, and who goes first below them.

The limit of unary calls is found by latency, as congestion control finds a window: it grows by its square root while it
is used and answers come in good time, and shrinks in proportion to how much slower than at their best they have become.
That is the gradient of Netflix's concurrency-limits (Gradient2Limit) and of Envoy's adaptive concurrency filter; unlike
theirs, the best time is kept per method, as methods of one service differ by orders of magnitude.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bankai.errors import UnavailableError
from gateway.policy.model import Priority
from gateway.routing.model import ConcurrencyRules

SHARES = {Priority.LIVE: 1.0, Priority.INTERACTIVE: 0.85, Priority.BATCH: 0.6}
"""Share of a limit up to which calls of a priority are taken up."""

_RETRY_AFTER_S = 0.5
_START = 100
_WINDOW_S = 0.5
_WINDOW_CALLS = 10
_TOLERANCE = 2.0
# What one call, however long it hung, may say about all: one of two pods that hangs must not starve the other.
_MAX_SLOWDOWN = 3.0
_SMOOTHING = 0.5
# A window's mean above the best time known moves that by so much: what has become slower for good is the new best.
_DRIFT = 0.01


class Limit:
    """Calls in flight below a limit.

    Args:
        limit: How many there may be.
        on_shed: Told the priority of every call that is refused.
    """

    def __init__(self, limit: int, on_shed: Callable[[Priority], None]) -> None:
        self.limit = float(limit)
        self._on_shed = on_shed
        self.in_flight = 0
        self.most = 0
        """Most calls that were in flight at once since this was last set to 0."""

    @contextmanager
    def entered(self, priority: Priority) -> Iterator[None]:
        """Counts a call while it runs.

        Args:
            priority: Whose call it is; see `SHARES`.

        Raises:
            UnavailableError: OVERLOADED.
        """
        if self.in_flight >= max(self.limit * SHARES[priority], 1.0):
            self._on_shed(priority)
            raise UnavailableError(
                "OVERLOADED", "the service has as many calls as it can bear; try again", retry_after=_RETRY_AFTER_S
            )
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        try:
            yield
        finally:
            self.in_flight -= 1


class AdaptiveLimit(Limit):
    """A limit that follows the latency.

    Args:
        rules: Its bounds.
        on_shed: Told the priority of every call that is refused.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        rules: ConcurrencyRules,
        on_shed: Callable[[Priority], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(min(max(_START, rules.min_calls), rules.max_calls), on_shed)
        self._rules = rules
        self._clock = clock
        self._methods: dict[str, _Latency] = {}
        self._due_at = clock() + _WINDOW_S
        self._calls = 0
        self._slowdown = 0.0

    def sample(self, method: str, seconds: float) -> None:
        """Notes how long an answer took, or how long none came.

        Args:
            method: Name of the rpc.
            seconds: That time.
        """
        latency = self._methods.get(method)
        if latency is None:
            latency = self._methods.setdefault(method, _Latency(seconds))
        self._slowdown += min(latency.slowdown(seconds, self._rules.latency_s / _TOLERANCE), _MAX_SLOWDOWN)
        self._calls += 1
        if self._calls >= _WINDOW_CALLS and self._clock() >= self._due_at:
            self._adapt()

    def _adapt(self) -> None:
        gradient = min(max(_TOLERANCE * self._calls / max(self._slowdown, 1e-9), 0.5), 1.0)
        target = self.limit * gradient
        if gradient == 1.0 and self.most > self.limit / 2:  # a limit that nobody reaches says nothing
            target += math.sqrt(self.limit)
        limit = self.limit + _SMOOTHING * (target - self.limit)
        self.limit = min(max(limit, self._rules.min_calls), self._rules.max_calls)
        for latency in self._methods.values():
            latency.end_window()
        self._due_at, self._calls, self._slowdown, self.most = self._clock() + _WINDOW_S, 0, 0.0, self.in_flight


class _Latency:
    """What is known of one method's time to an answer."""

    __slots__ = ("_best", "_calls", "_sum")

    def __init__(self, seconds: float) -> None:
        self._best = seconds
        self._calls = 0
        self._sum = 0.0

    def slowdown(self, seconds: float, floor: float) -> float:
        """How many times longer than at best something took; times below `floor` are all as good."""
        self._calls += 1
        self._sum += seconds
        if seconds < self._best:
            self._best += 0.1 * (seconds - self._best)
        return seconds / max(self._best, floor)

    def end_window(self) -> None:
        if self._calls:
            mean = self._sum / self._calls
            self._best += _DRIFT * max(mean - self._best, 0.0)
            self._calls, self._sum = 0, 0.0
