"""Connections to Redis that give up in time."""

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

_CONNECTIONS = 32


def open_redis(url: str, timeout_s: float) -> Redis:
    """A client that connects when it is first used.

    Args:
        url: redis://, rediss:// or unix:// URL.
        timeout_s: Seconds for connecting, for an answer, and for a free connection, each.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=_CONNECTIONS,
        timeout=timeout_s,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        retry=Retry(NoBackoff(), 0),  # retries inside the client would multiply the timeout
    )
    return Redis.from_pool(pool)
