import asyncio
from collections import Counter

import grpc
import pytest

from tests.gateway.conftest import Client
from tests.gateway.routing.conftest import Routed, sample
from tests.gateway.test_faults import failure
from tests.gateway.toy import Toy


async def release(client: Client, key: str | None = None, method: str = "Save") -> str:
    """The release that a call is told it got."""
    metadata = (("x-release-key", key),) if key else ()
    call = client.unary(method, b"x", metadata=metadata)
    await call.code()
    return str(dict(await call.trailing_metadata())["x-bankai-release"])


async def test_all_calls_get_the_stable_release_unless_told(routed: Routed, toy: Toy) -> None:
    async with routed(stable=toy, other=Toy()) as client:
        assert {await release(client) for _ in range(20)} == {"stable"}
        call = client.bidi("Chat")
        await call.done_writing()
        assert [message async for message in call] == [b"bye"]
        assert dict(await call.trailing_metadata())["x-bankai-release"] == "stable"


async def test_errors_tell_the_release_too(routed: Routed, toy: Toy) -> None:
    async with routed(stable=toy) as client:
        toy.failures = 1
        error = await failure(client.unary("Save", b"x"))
        assert dict(error.trailing_metadata())["x-bankai-release"] == "stable"
        assert dict(error.trailing_metadata())["x-why"] == "told"


async def test_a_pinned_channel_gets_its_release(routed: Routed) -> None:
    stable, blue = Toy(), Toy()
    async with routed({"pinned": {"ivr": "blue", "other": "stable"}}, stable=stable, blue=blue) as client:
        assert {await release(client) for _ in range(10)} == {"blue"}
        assert (len(stable.requests), len(blue.requests)) == (0, 10)


async def test_a_canary_gets_its_share_and_a_key_stays_where_it_is(routed: Routed) -> None:
    async with routed({"canary": {"release": "next", "percent": 30}}, stable=Toy(), next=Toy()) as client:
        chosen = {key: await release(client, key) for key in map(str, range(200))}
        assert 30 <= Counter(chosen.values())["next"] <= 90
        for key in list(chosen)[:20]:
            assert await release(client, key) == chosen[key]
        assert {await release(client) for _ in range(60)} == {"stable", "next"}, "by request id where there is no key"


@pytest.mark.parametrize(("percent", "own", "gets"), [(100, 0, "stable"), (0, 100, "next")])
async def test_a_channel_s_own_share_goes_before_that_of_all(routed: Routed, percent: int, own: int, gets: str) -> None:
    canary = {"release": "next", "percent": percent, "channels": {"ivr": own}}
    async with routed({"canary": canary}, stable=Toy(), next=Toy()) as client:
        assert {await release(client) for _ in range(20)} == {gets}


async def test_a_canary_that_fails_is_stopped(routed: Routed) -> None:
    bad = Toy()
    canary = {"release": "next", "percent": 50, "min_calls": 20}
    async with routed({"canary": canary, "breaker": {"open_s": 0.1}}, stable=Toy(), next=bad) as client:
        bad.failures, bad.failing = 100_000, grpc.StatusCode.INTERNAL
        async with asyncio.timeout(30):
            while not sample("gateway_canary_stopped", release="next"):
                await release(client)
                await asyncio.sleep(0.005)
        assert {await release(client) for _ in range(50)} == {"stable"}


async def test_a_canary_that_is_slow_is_stopped(routed: Routed) -> None:
    slow = Toy()
    canary = {"release": "next", "percent": 50, "min_calls": 20, "max_p95_ratio": 3}
    async with routed({"canary": canary}, stable=Toy(), next=slow) as client:
        slow.delay_s = 1.0
        async with asyncio.timeout(60):
            while not sample("gateway_canary_stopped", release="next"):
                await asyncio.gather(*(release(client) for _ in range(20)))
        assert {await release(client) for _ in range(50)} == {"stable"}


async def test_a_shadow_sees_the_calls_and_nobody_sees_the_shadow(routed: Routed) -> None:
    shadow = Toy()
    async with routed({"shadow": {"release": "next", "percent": 100}}, stable=Toy(), next=shadow) as client:
        shadow.failures, shadow.failing = 5, grpc.StatusCode.INTERNAL
        for _ in range(5):
            assert await release(client, method="Echo") == "stable"
        await asyncio.gather(*(client.unary("Show", b"") for _ in range(5)))
        for method in ("Put", "Save"):
            await client.unary(method, b"x")
        async with asyncio.timeout(20):
            while shadow.requests.count(b"x") < 5:  # noqa: ASYNC110  # it notes no event
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.2)
        assert shadow.requests.count(b"x") == 5, "what has effects is not copied"


async def test_a_slow_shadow_holds_nothing_up(routed: Routed) -> None:
    shadow = Toy()
    rules = {"release": "next", "percent": 100, "max_calls": 3}
    async with routed({"shadow": rules}, stable=Toy(), next=shadow) as client:
        shadow.delay_s = 60.0
        before = sample("gateway_shadow_skipped_total", release="next")
        async with asyncio.timeout(20):
            for _ in range(10):
                assert await client.unary("Echo", b"x") == b"x"
        assert len(shadow.requests) <= 3
        assert sample("gateway_shadow_skipped_total", release="next") >= before + 7 - 1
