"""What operations erase of what the intent service keeps, calls in Redis; see `bankai.keeping`.

Without Redis calls are in the memory of the processes alone. There, and in Redis, each goes by itself once its time to
live is over.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bankai.errors import UnavailableError
from bankai.keeping import Counts, Erased, ErasureOrder
from bankai.redis_client import open_redis
from bankai.settings import load
from services.intent.settings import IntentSettings

_TIMEOUT_S = 5.0


class CallKeeper:
    """Calls.

    Args:
        redis: Where they are; None where each process keeps its own.
        prefix: How their keys begin.
    """

    def __init__(self, redis: Redis | None, prefix: str) -> None:
        self._redis, self._prefix = redis, prefix

    async def sweep(self) -> Counts:
        """See `Keeper`. Redis does it by itself."""
        return {"calls": 0}

    async def find(self, order: ErasureOrder) -> Erased:
        """See `Keeper`."""
        return Erased({"calls": len(await self._named(order))})

    async def erase(self, order: ErasureOrder, ids: frozenset[str]) -> Erased:  # noqa: ARG002  # keeps nothing of others
        """See `Keeper`. A call that still goes on is kept anew with its next segment, and for its time to live."""
        calls = await self._named(order)
        if self._redis is not None:
            for key in await self._keys():
                if _call(key) in calls:
                    await self._redis.delete(key)
        return Erased({"calls": len(calls)})

    async def _named(self, order: ErasureOrder) -> frozenset[bytes]:
        """Calls of an order: by their ids, or by what they hold."""
        found: set[bytes] = set()
        if self._redis is None:
            return frozenset()
        wanted = {f"{channel}/{each}".encode() for channel, ids in order.calls.items() for each in ids}
        texts = [text.encode() for text in order.texts]
        for key in await self._keys():
            call = _call(key)
            held = call + b"\n" + await _value(self._redis, key)
            if call in wanted or any(text in held for text in texts):
                found.add(call)
        return frozenset(found)

    async def _keys(self) -> list[bytes]:
        if self._redis is None:
            return []
        escaped = "".join(f"\\{each}" if each in "*?[]\\" else each for each in self._prefix)
        return [key async for key in self._redis.scan_iter(match=f"{escaped}*")]


@asynccontextmanager
async def keeper() -> AsyncIterator[CallKeeper]:
    """The keeper by the settings in the environment.

    Raises:
        UnavailableError: SESSIONS_UNAVAILABLE; Redis does not answer.
    """
    sessions = load(IntentSettings).sessions
    url = sessions.redis_url.get_secret_value()
    redis = open_redis(url, _TIMEOUT_S) if url else None
    try:
        yield CallKeeper(redis, sessions.key_prefix)
    except (RedisError, OSError):
        raise UnavailableError("SESSIONS_UNAVAILABLE", "Redis does not answer") from None
    finally:
        if redis is not None:
            await redis.aclose()


def _call(key: bytes) -> bytes:
    """The call that a key of `RedisSessionStore` belongs to."""
    return key.partition(b"{")[2].rpartition(b"}")[0]


async def _value(redis: Redis, key: bytes) -> bytes:
    """What a key holds: a text, or a list as one."""
    found: Any = await redis.lrange(key, 0, -1) if await redis.type(key) == b"list" else [await redis.get(key)]
    return b"\n".join(each or b"" for each in found)
