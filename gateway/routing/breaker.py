"""A circuit breaker: gives up calls to a backend that fails, at once, until probes find it well again."""

import time
from collections.abc import Callable
from enum import IntEnum

from bankai.errors import UnavailableError
from gateway.routing.model import BreakerRules
from gateway.routing.window import Window

_MAX_OPEN_S = 60.0
_PROBE_EVERY_S = 0.2
_GOOD_PROBES = 3


class State(IntEnum):
    """What a breaker does with calls; the numbers are those of the metric."""

    CLOSED = 0
    """Lets them through."""
    HALF_OPEN = 1
    """Lets one through now and then, to see how it ends."""
    OPEN = 2
    """Lets none through."""


class Breaker:
    """Opens at a share of failures over a rolling window with a minimum of calls.

    Probes go by time and are not waited for: a probe that hangs must not keep the breaker half-open for ever.

    Args:
        rules: When it opens and for how long.
        clock: Seconds that only grow.
    """

    def __init__(self, rules: BreakerRules, clock: Callable[[], float] = time.monotonic) -> None:
        self._rules = rules
        self._clock = clock
        self._window = Window(rules.window_s, clock)
        self._open_s = rules.open_s
        self._probe_at = 0.0
        self._good = 0
        self._state = State.CLOSED

    @property
    def state(self) -> State:
        """What it does with calls."""
        if self._state is State.OPEN and self._clock() >= self._probe_at:
            self._state, self._good = State.HALF_OPEN, 0
        return self._state

    def admit(self) -> None:
        """Lets a call through.

        Raises:
            UnavailableError: BACKEND_CIRCUIT_OPEN.
        """
        if self._state is State.CLOSED:
            return
        now = self._clock()
        if self.state is State.OPEN or now < self._probe_at:
            raise UnavailableError(
                "BACKEND_CIRCUIT_OPEN",
                "the service has failed too often and is left alone for a moment; try again",
                retry_after=max(self._probe_at - now, _PROBE_EVERY_S),
            )
        self._probe_at = now + _PROBE_EVERY_S

    def record(self, *, failed: bool) -> None:
        """Notes how a call ended.

        Args:
            failed: Whether the backend or the way to it is to blame.
        """
        if self.state is State.CLOSED:
            self._window.add(failed=failed)
            if failed:
                self._open_if_due()
        elif self._state is State.HALF_OPEN:
            if failed:
                self._open_s = min(self._open_s * 2, _MAX_OPEN_S)
                self._open()
            else:
                self._good += 1
                if self._good >= _GOOD_PROBES:
                    self._close()

    def _open_if_due(self) -> None:
        calls, failures = self._window.totals()
        if calls >= self._rules.min_calls and failures >= self._rules.failure_share * calls:
            self._open()

    def _open(self) -> None:
        self._state = State.OPEN
        self._probe_at = self._clock() + self._open_s

    def _close(self) -> None:
        self._state = State.CLOSED
        self._open_s = self._rules.open_s
        self._window = Window(self._rules.window_s, self._clock)
