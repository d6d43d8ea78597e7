"""Calls of a channel that were taken from Redis ahead of time, so that most calls need not ask it."""

import asyncio
import math

from gateway.policy.model import ChannelLimits
from gateway.quota import refusals
from gateway.quota.clock import Clock
from gateway.quota.local import LocalCalls
from gateway.quota.shared import Grant, SharedCounts

_ASK_AGAIN_S = 1.0
"""How long an empty channel is taken for empty: somebody may have raised its limits."""


class Leases:
    """The calls of one channel that this gateway holds.

    It holds less than one and a half leases: the next one is fetched when half of the last is spent.

    Args:
        channel: Name of the channel.
        limits: Its limits; a rate or calls of the day, at least.
        redis: Where they come from.
        local: What is to know of the calls of the day.
        clock: What time it is.
    """

    def __init__(
        self, channel: str, limits: ChannelLimits, redis: SharedCounts, local: LocalCalls, clock: Clock
    ) -> None:
        self._channel = channel
        self._limits = limits
        self._redis = redis
        self._local = local
        self._clock = clock
        self._lease = redis.lease(limits)
        self._left = 0
        self._low = 0  # the next lease is fetched when fewer are left
        self._left_until = math.inf  # calls of a day end with it
        self._none_until = -math.inf
        self._ask_at = -math.inf
        self._day_is_over = False
        self._waiting = 0
        self._asking: asyncio.Task[None] | None = None

    def take(self, now: float) -> bool:
        """Takes a call where one is held.

        Args:
            now: What the monotonic clock says.
        """
        if self._left <= 0 or now >= self._left_until:
            return False
        self._left -= 1
        if self._left < self._low and self._asking is None and self._redis.answers and now >= self._ask_at:
            self._ask()
        return True

    def check(self, now: float) -> None:
        """Refuses where Redis is known to have none.

        Raises:
            ExhaustedError: RATE_LIMITED or DAILY_QUOTA_EXHAUSTED.
        """
        if now < self._ask_at:
            refuse = refusals.day_exhausted if self._day_is_over else refusals.rate_limited
            raise refuse(self._channel, self._limits, self._none_until - now)

    async def refill(self, within_s: float) -> None:
        """Waits until Redis has been asked, or the time is over.

        Args:
            within_s: Longest time to wait, in seconds.
        """
        self._waiting += 1
        try:
            await asyncio.wait((self._asking or self._ask(),), timeout=within_s)
        finally:
            self._waiting -= 1

    async def close(self) -> None:
        """Stops asking."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait((self._asking,))

    def _ask(self) -> asyncio.Task[None]:
        self._asking = asyncio.create_task(self._fetch())
        self._asking.add_done_callback(self._asked)
        return self._asking

    def _asked(self, _task: asyncio.Task[None]) -> None:
        self._asking = None

    async def _fetch(self) -> None:
        made = self._local.to_report(self._clock.monotonic())
        wanted = max(self._lease, self._waiting)
        grant = await self._redis.take(self._channel, self._limits, wanted, waiting=self._waiting, made=made)
        if grant is not None:
            self._keep(grant, self._clock.monotonic(), reported=made)

    def _keep(self, grant: Grant, now: float, *, reported: int) -> None:
        if now >= self._left_until:
            self._left = 0
        # What callers that gave up waiting would have had is let go.
        self._left = min(self._left + grant.calls, self._waiting + self._lease * 3 // 2)
        self._low = min(grant.calls, self._lease) // 2
        self._day_is_over = grant.day_left == 0
        if grant.day_left is not None:
            self._left_until = now + grant.day_ends_s
            self._local.told(grant.day_left, self._left_until, reported)
        self._none_until = now + max(grant.day_ends_s if self._day_is_over else 0.0, self._rate_wait_s(grant))
        self._ask_at = min(self._none_until, now + _ASK_AGAIN_S)

    def _rate_wait_s(self, grant: Grant) -> float:
        """Seconds until the rate allows half a lease again: Redis is not asked for every call of a busy channel."""
        if not grant.wait_s or self._limits.calls_per_s is None:
            return 0.0
        return grant.wait_s + (self._lease - 1) // 2 / self._limits.calls_per_s
