"""The limits of all channels at this gateway."""

import asyncio

from gateway.policy.permit import Permit
from gateway.quota.channel import ChannelQuota
from gateway.quota.clock import Clock
from gateway.quota.settings import QuotaSettings
from gateway.quota.shared import Open, SharedCounts

EXCHANGE_S = 1.0
"""How often gateways tell each other what is open; and how long Redis is left alone after it failed."""


class Limiter:
    """Knows every channel's quota.

    Args:
        settings: How limits are kept.
        clock: What time it is.
    """

    def __init__(self, settings: QuotaSettings, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or Clock()
        self._redis = SharedCounts(settings) if settings.redis_url.get_secret_value() else None
        self._channels: dict[str, ChannelQuota] = {}
        self._others: dict[str, Open] | None = None

    def of(self, permit: Permit) -> ChannelQuota:
        """The quota of a call's channel."""
        quota = self._channels.get(permit.channel)
        if quota is None:
            quota = ChannelQuota(permit.channel, permit.channel_limits, self._settings, self._redis, self._clock)
            quota.know(self._of_others(permit.channel))
            self._channels[permit.channel] = quota
        elif quota.limits is not permit.channel_limits:
            quota.configure(permit.channel_limits)  # another policy is in force
        return quota

    async def run(self) -> None:
        """Tells the other gateways what is open here, and learns it of them, until cancelled."""
        while self._redis is not None:
            await self.exchange()
            await asyncio.sleep(EXCHANGE_S)

    async def exchange(self) -> None:
        """Does it once; finds out, too, whether Redis answers."""
        if self._redis is None:
            return
        opened = {
            name: Open(quota.calls.taken, quota.streams.taken)
            for name, quota in self._channels.items()
            if quota.calls.taken or quota.streams.taken
        }
        self._others = await self._redis.exchange(opened)
        for name, quota in self._channels.items():
            quota.know(self._of_others(name))

    async def close(self) -> None:
        """Ends what is under way to Redis."""
        for quota in self._channels.values():
            await quota.close()
        if self._redis is not None:
            await self._redis.close()

    def _of_others(self, channel: str) -> Open | None:
        return None if self._others is None else self._others.get(channel, Open(0, 0))
