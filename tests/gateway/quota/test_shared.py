"""Limits that several gateways share in a real Redis."""

import asyncio
import time
from typing import Any

import pytest
from redis import Redis

from gateway.quota.bucket import burst_of
from gateway.quota.channel import ChannelQuota
from tests.gateway.quota.conftest import admitted, passed, permit, refusal

pytestmark = pytest.mark.slow

SOON = 1e-3  # calls a second so few that a test sees none of them


@pytest.mark.parametrize("burst", [1, 7, 120])
async def test_gateways_at_once_let_a_burst_pass_and_no_more(gateways: Any, burst: int) -> None:
    limits = permit(calls_per_s=SOON, burst=burst)
    quotas = [(await gateways()).of(limits) for _ in range(4)]
    assert sum(await asyncio.gather(*(passed(quota, 50) for quota in quotas))) == min(burst, 200)


@pytest.mark.parametrize("rate", [10, 100, 2000])
async def test_gateways_at_once_keep_the_rate(gateways: Any, rate: int) -> None:
    limits = permit(calls_per_s=rate, burst=20)
    quotas = [(await gateways()).of(limits) for _ in range(3)]
    begin = time.monotonic()

    async def keep_calling(quota: ChannelQuota) -> int:
        let_in = 0
        while time.monotonic() < begin + 2:
            let_in += await passed(quota, 10)
            await asyncio.sleep(0.002)
        return let_in

    let_in = sum(await asyncio.gather(*map(keep_calling, quotas)))
    took = time.monotonic() - begin
    assert let_in <= rate * took + burst_of(limits.channel_limits)  # held leases are in there: they began empty
    assert let_in >= 20 + min(rate, 100)  # and what is allowed gets through


async def test_held_calls_are_fewer_than_one_and_a_half_leases_a_gateway(gateways: Any) -> None:
    limits = permit(calls_per_s=1000, burst=1000)
    quotas = [(await gateways()).of(limits) for _ in range(3)]
    for quota in quotas:
        assert await admitted(quota)
    await asyncio.sleep(1.2)  # the bucket is full again
    begin = time.monotonic()
    let_in = sum(await asyncio.gather(*(passed(quota, 1000) for quota in quotas)))
    assert let_in <= 1000 * (time.monotonic() - begin) + 1000 + 3 * 1.5 * 50


async def test_a_day_of_gateways_at_once_is_exact(gateways: Any) -> None:
    limits = permit(calls_per_day=500)
    quotas = [(await gateways()).of(limits) for _ in range(4)]
    assert sum(await asyncio.gather(*(passed(quota, 300) for quota in quotas))) == 500
    error = await refusal(quotas[0])
    assert error.reason == "DAILY_QUOTA_EXHAUSTED"
    assert 0 < (error.retry_after or 0) <= 86_400


async def test_an_idle_gateway_keeps_few_calls_of_the_day(gateways: Any) -> None:
    limits = permit(calls_per_day=1000)
    idle, busy = [(await gateways()).of(limits) for _ in range(2)]
    assert await admitted(idle)
    assert 1000 - 10 <= 1 + await passed(busy, 1200) <= 1000


@pytest.mark.parametrize("rate", [5, 100])
async def test_a_call_after_the_delay_passes(gateways: Any, rate: int) -> None:
    quota = (await gateways()).of(permit(calls_per_s=rate, burst=2))
    for _ in range(5):
        error = await refusal(quota)
        assert error.reason == "RATE_LIMITED"
        assert 0 < (error.retry_after or 0) <= 1 / rate
        await asyncio.sleep(error.retry_after or 0)
        assert await admitted(quota)


async def test_a_call_that_is_refused_for_the_rate_costs_none_of_the_day(gateways: Any) -> None:
    quota = (await gateways()).of(permit(calls_per_s=SOON, burst=5, calls_per_day=1000))
    assert await passed(quota, 100) == 5
    more = (await gateways()).of(permit(calls_per_day=1000))
    assert await passed(more, 1100) == 995


async def test_an_empty_channel_is_not_asked_for_again_and_again(gateways: Any, redis: Any) -> None:
    quota = (await gateways()).of(permit(calls_per_s=SOON, burst=1))
    assert await passed(quota, 10) == 1
    with redis_client(redis) as client:
        before = scripts_run(client)
        assert await passed(quota, 1000) == 0
        assert scripts_run(client) == before


async def test_raised_limits_hold_at_once(gateways: Any) -> None:
    limiter = await gateways()
    assert await passed(limiter.of(permit(calls_per_s=SOON, burst=1)), 10) == 1
    assert await passed(limiter.of(permit(calls_per_s=SOON, burst=5)), 10) == 4
    error = await refusal(limiter.of(permit(calls_per_s=10, burst=5)))
    assert (error.retry_after or 0) <= 0.1


async def test_channels_do_not_share_limits(gateways: Any) -> None:
    limiter = await gateways()
    for channel in ("ivr", "mobile"):
        assert await passed(limiter.of(permit(channel, calls_per_s=SOON, burst=3)), 10) == 3


async def test_what_is_kept_in_redis_ends_by_itself(gateways: Any, redis: Any) -> None:
    limiter = await gateways(key_prefix="ends:")
    await passed(limiter.of(permit(calls_per_s=100, burst=100)), 10)
    await passed(limiter.of(permit("day", calls_per_day=100)), 10)
    with redis_client(redis) as client:
        lives = {key: client.pttl(key) for key in client.keys("ends:*")}
    assert set(lives) == {b"ends:{ivr}", b"ends:{day}", b"ends:gateways"}
    assert 0 < lives[b"ends:{ivr}"] <= 3_000
    assert 0 < lives[b"ends:{day}"] <= 86_401_000
    assert 0 < lives[b"ends:gateways"] <= 5_000


async def test_calls_and_streams_at_once_are_counted_over_all_gateways(gateways: Any) -> None:
    limits = permit(calls_at_once=3, streams_at_once=2)
    one, other = await gateways(), await gateways()
    for _ in range(2):
        one.of(limits).calls.enter()
    one.of(limits).streams.enter()
    await one.exchange()
    await other.exchange()
    quota = other.of(limits)
    quota.calls.enter()
    quota.streams.enter()
    with pytest.raises(Exception, match="at most 3 calls at once"):
        quota.calls.enter()
    with pytest.raises(Exception, match="at most 2 streams at once"):
        quota.streams.enter()
    one.of(limits).calls.leave()
    await one.exchange()
    await other.exchange()
    quota.calls.enter()


async def test_a_gateway_that_leaves_is_not_counted(gateways: Any) -> None:
    limits = permit(calls_at_once=1)
    one, other = await gateways(), await gateways()
    one.of(limits).calls.enter()
    await one.exchange()
    await other.exchange()
    with pytest.raises(Exception, match="at most 1 calls"):
        other.of(limits).calls.enter()
    await one.close()
    await other.exchange()
    other.of(limits).calls.enter()


async def test_a_gateway_that_died_is_not_counted_for_long(gateways: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.quota.shared.GONE_S", 0.2)
    limits = permit(calls_at_once=1)
    one, other = await gateways(), await gateways()
    one.of(limits).calls.enter()
    await one.exchange()
    await asyncio.sleep(0.3)
    await other.exchange()
    other.of(limits).calls.enter()


def redis_client(server: Any) -> Any:
    return Redis(port=server.port)


def scripts_run(client: Any) -> int:
    stats = client.info("commandstats")
    return int(stats.get("cmdstat_evalsha", {}).get("calls", 0))
