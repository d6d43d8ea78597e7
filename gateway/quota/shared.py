"""What all gateways share about channels, in Redis.

One key per channel holds the state of its token bucket and how many calls of the day it has made; one script looks at
both and charges both or neither, by Redis's own clock. A hash holds, per gateway, how many calls and streams each
channel has open there; what a gateway that died has left there is passed over after a few seconds.
"""

import asyncio
import json
import secrets
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from prometheus_client import Gauge
from redis.exceptions import RedisError

from bankai.redis_client import open_redis
from gateway.policy.model import ChannelLimits
from gateway.quota.bucket import burst_of
from gateway.quota.settings import QuotaSettings

log = structlog.get_logger(__name__)

SHARED = Gauge(
    "bankai_gateway_quota_shared", "1 while limits are shared through Redis, 0 while this gateway decides alone."
)
GONE_S = 5.0
"""How long a gateway is counted that no longer says what it has open."""

_LEASE_OF_A_DAY = 100  # where no rate says how many calls to take at a time
_US = 1_000_000

# KEYS: the channel.
# ARGV: calls wanted, calls that wait, calls a second (0: no limit), burst, calls a day (-1: no limit), calls of the day
# that were let in without asking.
# Kept: calls that the bucket lacked, when that was (in microseconds), day, calls of that day.
# Returns: calls granted, microseconds until the rate allows one more, calls of the day that are left (-1: no limit),
# microseconds until it ends.
# Leases shrink as the day's calls run out, lest gateways keep them from each other.
_TAKE = """
local US, DAY = 1000000, 86400000000
local wanted, waiting, per_s, burst, per_day, made =
    tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local time = redis.call('TIME')
local now = time[1] * US + time[2]
local today, day_ends = math.floor(now / DAY), DAY - now % DAY
local missing, at, day, used = string.match(redis.call('GET', KEYS[1]) or '0 0 0 0', '^(%S+) (%S+) (%S+) (%S+)$')
local granted, wait, left, lives = wanted, 0, -1, 0
used = (tonumber(day) == today and tonumber(used) or 0) + made
if per_day >= 0 then
    left = math.max(per_day - used, 0)
    granted = math.min(granted, math.max(waiting, math.floor(left / 100), 1), left)
    lives = day_ends
end
if per_s > 0 then
    missing = math.max(tonumber(missing) - math.max(now - tonumber(at), 0) * per_s / US, 0)
    granted = math.max(math.min(granted, math.floor(burst - missing + 0.000001)), 0)
    missing = missing + granted
    wait = math.max(math.ceil((missing + 1 - burst) * US / per_s), 0)
    lives = math.max(lives, missing * US / per_s)
end
if per_day >= 0 then
    left, used = left - granted, used + granted
end
redis.call(
    'SET', KEYS[1], string.format('%.17g %.0f %.0f %.0f', missing, now, today, used),
    'PX', string.format('%.0f', lives / 1000 + 1000)
)
return {granted, wait, left, day_ends}
"""

# KEYS: the hash of gateways. ARGV: this gateway, what it has open, milliseconds until a silent one is gone.
# Returns what the others have open.
_EXCHANGE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f ', now) .. ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
local entries, others = redis.call('HGETALL', KEYS[1]), {}
for i = 1, #entries, 2 do
    local at, open = string.match(entries[i + 1], '^(%d+) (.*)$')
    if now - tonumber(at) > tonumber(ARGV[3]) then
        redis.call('HDEL', KEYS[1], entries[i])
    elseif entries[i] ~= ARGV[1] then
        others[#others + 1] = open
    end
end
return others
"""

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Open:
    """What a channel has open.

    Attributes:
        calls: Calls in flight, streams not counted.
        streams: Open streams.
    """

    calls: int
    streams: int


@dataclass(frozen=True, slots=True)
class Grant:
    """What Redis gives a gateway for one channel.

    Attributes:
        calls: Calls that it may let in.
        wait_s: Seconds until the channel's rate allows one more; 0 where it does now.
        day_left: Calls of the day that the channel has left after these; None without such a limit.
        day_ends_s: Seconds until the day ends.
    """

    calls: int
    wait_s: float
    day_left: int | None
    day_ends_s: float


class SharedCounts:
    """Redis, as long as it answers in time.

    Args:
        settings: Where it is, and how long it may take.
    """

    def __init__(self, settings: QuotaSettings) -> None:
        self._redis = open_redis(settings.redis_url.get_secret_value(), settings.redis_timeout_s)
        self._take: Any = self._redis.register_script(_TAKE)
        self._exchange: Any = self._redis.register_script(_EXCHANGE)
        self._timeout_s = settings.redis_timeout_s
        self._lease_s = settings.lease_s
        self._prefix = settings.key_prefix
        self._gateway = secrets.token_hex(8)
        self._answers: bool | None = None  # None: not known yet

    @property
    def answers(self) -> bool:
        """Whether Redis is to be asked. Only `exchange` finds out that it answers again."""
        return bool(self._answers)

    def lease(self, limits: ChannelLimits) -> int:
        """How many calls are best taken at a time under such limits."""
        if limits.calls_per_s is None:
            return _LEASE_OF_A_DAY
        return max(1, min(int(limits.calls_per_s * self._lease_s), burst_of(limits)))

    async def take(self, channel: str, limits: ChannelLimits, wanted: int, *, waiting: int, made: int) -> Grant | None:
        """Takes calls of a channel.

        Args:
            channel: Its name.
            limits: Its limits.
            wanted: How many to take; fewer come where there are fewer, or where the day's are nearly used up.
            waiting: How many are needed now.
            made: Calls of the day that gateways let in without asking.

        Returns:
            What there was; None where Redis does not answer.
        """
        rate, per_day = limits.calls_per_s, limits.calls_per_day
        args = [wanted, waiting, rate or 0, burst_of(limits), -1 if per_day is None else per_day, made]
        answer: Sequence[int] | None = await self._ask(self._take(keys=[f"{self._prefix}{{{channel}}}"], args=args))
        if answer is None:
            return None
        granted, wait, left, day_ends = answer
        return Grant(granted, wait / _US, None if per_day is None else left, day_ends / _US)

    async def exchange(self, opened: Mapping[str, Open]) -> dict[str, Open] | None:
        """Tells the other gateways what channels have open here.

        Args:
            opened: What each channel has open at this gateway, by its name.

        Returns:
            What each channel has open at all others, by its name; None where Redis does not answer.
        """
        others = await self._ask(self._exchanged(opened))
        if others is not None and not self._answers:
            self._answers = True
            SHARED.set(1)
            log.info("redis answers; limits of channels are shared")
        return others

    async def close(self) -> None:
        """Says that this gateway has nothing open any more, and closes the connections."""
        with suppress(RedisError, OSError):
            async with asyncio.timeout(self._timeout_s):
                await self._redis.hdel(self._gateways, self._gateway)
        await self._redis.aclose()

    @property
    def _gateways(self) -> str:
        return f"{self._prefix}gateways"

    async def _exchanged(self, opened: Mapping[str, Open]) -> dict[str, Open]:
        told = json.dumps({name: (each.calls, each.streams) for name, each in opened.items()})
        args = [self._gateway, told, round(GONE_S * 1000)]
        others: dict[str, Open] = {}
        for entry in await self._exchange(keys=[self._gateways], args=args):
            for name, (calls, streams) in json.loads(entry).items():
                known = others.get(name, Open(0, 0))
                others[name] = Open(known.calls + calls, known.streams + streams)
        return others

    async def _ask(self, command: Awaitable[Answer]) -> Answer | None:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await command
        except Exception as error:  # noqa: BLE001  # whatever the client raises in a broken connection, calls go on
            if self._answers is not False:
                self._answers = False
                SHARED.set(0)
                log.warning("redis does not answer; this gateway decides alone", error=type(error).__name__)
            return None
