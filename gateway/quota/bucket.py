"""A token bucket."""

from gateway.policy.model import ChannelLimits

# Doubles are rounded, and who waits as long as told must not come a rounding too early.
_TOLERANCE_S = 1e-6


def burst_of(limits: ChannelLimits) -> int:
    """Calls that a channel may make at once after a pause; those of one second where the policy says nothing."""
    return limits.burst or max(1, int(limits.calls_per_s or 0))


class Bucket:
    """So many calls a second, and some at once after a pause.

    In any t seconds at most `per_s * t + burst` calls are spent, a microsecond more or less.

    Args:
        per_s: Calls a second.
        burst: Calls at once after a pause, at least one.
    """

    def __init__(self, per_s: float, burst: float) -> None:
        self._missing = 0.0  # calls that the bucket lacked
        self._at = 0.0  # at this time
        self.configure(per_s, burst)

    def configure(self, per_s: float, burst: float) -> None:
        """Changes the rate; what has been spent stays spent."""
        self._per_s = per_s
        self._burst = burst

    def wait_s(self, now: float) -> float:
        """Seconds until a call may be made; 0 where it may be made now."""
        wait = (self._missing_at(now) + 1 - self._burst) / self._per_s
        return wait if wait > _TOLERANCE_S else 0.0

    def spend(self, now: float) -> None:
        """Counts a call that `wait_s` allows."""
        self._missing = self._missing_at(now) + 1
        self._at = now

    def note(self, now: float) -> None:
        """Counts a call that was allowed elsewhere, though the bucket may be empty."""
        self._missing = min(self._missing_at(now) + 1, self._burst)
        self._at = now

    def _missing_at(self, now: float) -> float:
        return max(self._missing - (now - self._at) * self._per_s, 0.0)
