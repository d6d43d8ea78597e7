"""What this gateway lets a channel do when it decides alone."""

import math

from gateway.policy.model import ChannelLimits
from gateway.quota import refusals
from gateway.quota.bucket import Bucket, burst_of
from gateway.quota.clock import Clock

DAY_S = 86_400.0


class LocalCalls:
    """Rate and calls of the day of one channel, counted in this process.

    Args:
        channel: Its name.
        limits: Its limits.
        share: Share of them that this gateway may give away.
        clock: What time it is.
    """

    def __init__(self, channel: str, limits: ChannelLimits, share: float, clock: Clock) -> None:
        self._channel = channel
        self._share = share
        self._clock = clock
        self._rate: Bucket | None = None
        self._day_ends_at = -math.inf
        self._unreported = 0  # calls of the day that were let in here and that Redis does not know of
        self._allowed = 0  # how many those may be
        self.configure(limits)

    def configure(self, limits: ChannelLimits) -> None:
        """Changes the limits; what has been counted stays counted."""
        self._limits = limits
        if limits.calls_per_s is None:
            self._rate = None
        else:
            per_s, burst = limits.calls_per_s * self._share, max(1.0, burst_of(limits) * self._share)
            if self._rate is None:
                self._rate = Bucket(per_s, burst)
            else:
                self._rate.configure(per_s, burst)
        if limits.calls_per_day is not None:
            self._allowed = self._part(limits.calls_per_day)

    def take(self, now: float) -> None:
        """Lets a call in.

        Args:
            now: What the monotonic clock says.

        Raises:
            ExhaustedError: RATE_LIMITED or DAILY_QUOTA_EXHAUSTED; nothing is counted then.
        """
        wait_s = 0.0 if self._rate is None else self._rate.wait_s(now)
        if self._limits.calls_per_day is not None:
            self._turn_day(now, self._limits.calls_per_day)
            if self._unreported >= self._allowed:
                raise refusals.day_exhausted(self._channel, self._limits, max(self._day_ends_at - now, wait_s))
            if not wait_s:
                self._unreported += 1
        if wait_s:
            raise refusals.rate_limited(self._channel, self._limits, wait_s)
        if self._rate is not None:
            self._rate.spend(now)

    def note(self, now: float) -> None:
        """Counts a call that Redis let in against the rate, so that nobody gets a second burst when Redis goes away."""
        if self._rate is not None:
            self._rate.note(now)

    def to_report(self, now: float) -> int:
        """Calls of the day that Redis does not know of."""
        if self._limits.calls_per_day is not None:
            self._turn_day(now, self._limits.calls_per_day)
        return self._unreported

    def told(self, left: int, ends_at: float, reported: int) -> None:
        """Takes over what Redis knows of the day.

        Args:
            left: Calls that all gateways together have left.
            ends_at: When the day ends, by the monotonic clock.
            reported: Calls that Redis has been told of.
        """
        self._day_ends_at = ends_at
        self._allowed = self._part(left)
        self._unreported = max(self._unreported - reported, 0)

    def _turn_day(self, now: float, per_day: int) -> None:
        if now >= self._day_ends_at:
            self._unreported = 0
            self._allowed = self._part(per_day)
            self._day_ends_at = now + DAY_S - self._clock.wall() % DAY_S

    def _part(self, calls: int) -> int:
        return math.ceil(calls * self._share)
