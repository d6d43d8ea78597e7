"""The generic cell rate algorithm: a token bucket whose whole state is one moment."""

import math

# Of clocks that count in doubles: who waits as long as told must not come a rounding too early.
_TOLERANCE_S = 1e-9


class Gcra:
    """So many calls a second, and some at once after a pause.

    In any t seconds at most `per_s * t + burst` calls are spent.

    Args:
        per_s: Calls a second.
        burst: Calls at once after a pause, at least one.
    """

    def __init__(self, per_s: float, burst: float) -> None:
        self._full_at = -math.inf  # when the bucket is full again
        self.configure(per_s, burst)

    def configure(self, per_s: float, burst: float) -> None:
        """Changes the rate; what has been spent stays spent."""
        self._interval_s = 1 / per_s
        self._depth_s = burst / per_s

    def wait_s(self, now: float) -> float:
        """Seconds until a call may be made; 0 where it may be made now."""
        wait = self._full_at + self._interval_s - self._depth_s - now
        return wait if wait > _TOLERANCE_S else 0.0

    def spend(self, now: float) -> None:
        """Counts a call that `wait_s` allows."""
        self._full_at = max(self._full_at, now) + self._interval_s

    def note(self, now: float) -> None:
        """Counts a call that was allowed elsewhere, though the bucket may be empty."""
        self._full_at = min(max(self._full_at, now) + self._interval_s, now + self._depth_s)
