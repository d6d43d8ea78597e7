"""How a channel asks Redis, which is played here: how often, for how many, and what callers do meanwhile."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from bankai.errors import ExhaustedError
from gateway.policy.model import ChannelLimits
from gateway.quota.bucket import burst_of
from gateway.quota.channel import ChannelQuota
from gateway.quota.clock import Clock
from gateway.quota.settings import QuotaSettings
from gateway.quota.shared import Grant
from tests.gateway.quota.conftest import admitted, call, passed

DAY_S = 86_400.0
PLENTY = 10**6


class Redis:
    """Grants calls until there are no more, once it may."""

    def __init__(self, calls: int = PLENTY, *, lease: int = 1) -> None:
        self.answers = True
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.asked: list[tuple[int, int]] = []
        self._calls = calls
        self._lease = lease

    def lease(self, limits: ChannelLimits) -> int:
        return min(self._lease, burst_of(limits))

    async def take(self, channel: str, limits: ChannelLimits, wanted: int, *, waiting: int, made: int) -> Grant:
        self.asked.append((wanted, waiting))
        await asyncio.sleep(0)
        await self.may_answer.wait()
        granted = min(wanted, self._calls)
        self._calls -= granted
        return Grant(granted, 0.0 if self._calls else 100.0, None, DAY_S)


def quota_of(redis: Redis, *, timeout_s: float = 10.0, now: Callable[[], float] | None = None) -> ChannelQuota:
    given: Any = redis
    settings = QuotaSettings.model_validate({"redis_timeout_s": timeout_s, "local_share": 0.1})
    clock = Clock(now) if now else Clock()
    return ChannelQuota("ivr", ChannelLimits(calls_per_s=0.001, burst=PLENTY), settings, given, clock)


async def test_calls_that_come_together_ask_once() -> None:
    redis = Redis()
    assert await passed(quota_of(redis), 500) == 500
    assert redis.asked == [(500, 500)]


async def test_calls_beyond_what_there_is_are_refused_without_asking_again() -> None:
    redis = Redis(100)
    quota = quota_of(redis)
    assert await passed(quota, 500) == 100
    assert await passed(quota, 500) == 0
    assert len(redis.asked) == 1


async def test_the_next_lease_is_fetched_when_half_of_the_last_is_spent() -> None:
    redis = Redis(lease=10)
    quota = quota_of(redis)
    await call(quota)
    for _ in range(5):
        assert quota.admit_at_once()
    assert len(redis.asked) == 1  # the second is only about to ask
    await asyncio.sleep(0.01)
    assert redis.asked == [(10, 1), (10, 0)]
    for _ in range(14):
        assert quota.admit_at_once()


async def test_single_calls_are_not_fetched_ahead() -> None:
    redis = Redis()
    quota = quota_of(redis)
    for _ in range(3):
        assert not quota.admit_at_once()
        await quota.admit()
        await asyncio.sleep(0)
    assert redis.asked == [(1, 1)] * 3


async def test_a_call_that_waits_too_long_is_decided_here() -> None:
    redis = Redis()
    redis.may_answer.clear()
    quota = quota_of(redis, timeout_s=0.05)
    assert await passed(quota, 20) == 20
    assert len(redis.asked) == 1
    redis.may_answer.set()
    await asyncio.sleep(0.01)
    # What those calls would have had is let go: they are in already.
    assert [quota.admit_at_once(), quota.admit_at_once()] == [True, False]


async def test_a_caller_that_goes_away_leaves_the_others_alone() -> None:
    redis = Redis(3)
    redis.may_answer.clear()
    quota = quota_of(redis)
    calls = [asyncio.create_task(admitted(quota)) for _ in range(6)]
    await asyncio.sleep(0.01)
    for leaving in calls[:3]:
        leaving.cancel()
    await asyncio.sleep(0)
    redis.may_answer.set()
    assert await asyncio.gather(*calls[3:]) == [True, True, True]
    assert not await admitted(quota)


async def test_an_empty_channel_is_asked_for_again_after_a_second() -> None:
    redis = Redis(1)
    now = 1000.0
    quota = quota_of(redis, now=lambda: now)
    await call(quota)
    now += 0.99
    with pytest.raises(ExhaustedError) as caught:
        await call(quota)
    assert caught.value.retry_after == pytest.approx(99.01)
    assert len(redis.asked) == 1
    redis._calls = 1  # somebody has reset the channel's key
    now += 0.02
    await call(quota)


async def test_calls_held_are_spent_when_redis_goes_away() -> None:
    redis = Redis(lease=10)
    quota = quota_of(redis)
    await call(quota)
    redis.answers = False
    for _ in range(20):
        assert quota.admit_at_once()
    assert len(redis.asked) == 1


async def test_a_policy_that_says_the_same_changes_nothing() -> None:
    redis = Redis(lease=10)
    quota = quota_of(redis)
    await call(quota)
    quota.configure(quota.limits.model_copy())
    assert quota.admit_at_once()
    quota.configure(ChannelLimits(calls_per_s=1, burst=PLENTY))
    assert not quota.admit_at_once()
