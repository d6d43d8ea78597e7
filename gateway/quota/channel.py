"""All limits of one channel at this gateway."""

from gateway.policy.model import ChannelLimits
from gateway.quota import refusals
from gateway.quota.clock import Clock
from gateway.quota.leases import Leases
from gateway.quota.local import LocalCalls
from gateway.quota.settings import QuotaSettings
from gateway.quota.shared import Open, SharedCounts
from gateway.quota.slots import Slots


class ChannelQuota:
    """What a channel may still do here.

    Args:
        channel: Its name.
        limits: Its limits.
        settings: How limits are kept.
        redis: What the gateways share; None where they share nothing.
        clock: What time it is.
    """

    def __init__(
        self, channel: str, limits: ChannelLimits, settings: QuotaSettings, redis: SharedCounts | None, clock: Clock
    ) -> None:
        self.calls = Slots(channel, settings.local_share, refusals.too_many_calls)
        """Calls in flight, streams not counted."""
        self.streams = Slots(channel, settings.local_share, refusals.too_many_streams)
        """Open streams."""
        self._channel = channel
        self._limits = limits
        self._settings = settings
        self._redis = redis
        self._clock = clock
        self._others: Open | None = None
        self._local = LocalCalls(channel, limits, settings.local_share, clock)
        self._leases: Leases | None = None
        self._adopt(limits)

    @property
    def limits(self) -> ChannelLimits:
        """The limits in force."""
        return self._limits

    def configure(self, limits: ChannelLimits) -> None:
        """Changes the limits; what has been counted stays counted."""
        if limits == self._limits:
            self._limits = limits
            return
        self._local.configure(limits)
        self._adopt(limits)

    def know(self, others: Open | None) -> None:
        """Takes over what the channel has open at all other gateways; None where that is not known."""
        self._others = others
        self.calls.allow(self._limits.calls_at_once, None if others is None else others.calls)
        self.streams.allow(self._limits.streams_at_once, None if others is None else others.streams)

    def admit_at_once(self) -> bool:
        """Lets a call in where that can be told without asking Redis.

        Returns:
            Whether the call is in; if not, `admit` asks.

        Raises:
            ExhaustedError: RATE_LIMITED or DAILY_QUOTA_EXHAUSTED; nothing is counted then.
        """
        if not self._counts:
            return True
        now = self._clock.monotonic()
        if self._leases is None or self._redis is None:
            self._local.take(now)
            return True
        if self._leases.take(now):
            self._local.note(now)
            return True
        if not self._redis.answers:
            self._local.take(now)
            return True
        self._leases.check(now)
        return False

    async def admit(self) -> None:
        """Lets a call in that `admit_at_once` did not, within the time that Redis may take.

        Raises:
            ExhaustedError: RATE_LIMITED or DAILY_QUOTA_EXHAUSTED; nothing is counted then.
        """
        ends_at = self._clock.monotonic() + self._settings.redis_timeout_s
        while not self.admit_at_once():
            left = ends_at - self._clock.monotonic()
            if left <= 0 or self._leases is None:
                self._local.take(self._clock.monotonic())
                return
            await self._leases.refill(left)

    async def close(self) -> None:
        """Stops asking Redis."""
        if self._leases is not None:
            await self._leases.close()

    def _adopt(self, limits: ChannelLimits) -> None:
        self._limits = limits
        self._counts = limits.calls_per_s is not None or limits.calls_per_day is not None
        if self._redis is not None and self._counts:
            # Calls held under the old limits are given up.
            self._leases = Leases(self._channel, limits, self._redis, self._local, self._clock)
        else:
            self._leases = None
        self.know(self._others)
