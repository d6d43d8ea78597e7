"""A routes' file that changes while the gateway runs."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client import REGISTRY

from bankai.status import from_rpc_error
from gateway.settings import GatewaySettings
from tests.gateway.conftest import Client, learned_methods, reached, settings_for, through
from tests.gateway.routing.conftest import sample
from tests.gateway.toy import SERVICE, Toy, serving

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.routing.reload._EVERY_S", 0.1)


def refused() -> float:
    return REGISTRY.get_sample_value("gateway_routes_refused_total") or 0.0


def with_file(file: Path, keys_file: Path, routes: Any) -> GatewaySettings:
    file.write_text(json.dumps(routes))
    settings = settings_for("unused:1", keys_file)
    return settings.model_copy(update={"routes": {}, "routes_file": file})


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await holds():  # noqa: ASYNC110  # what is waited for tells nobody
            await asyncio.sleep(0.05)


async def release(client: Client) -> str:
    call = client.unary("Save", b"x")
    await call.code()
    return str(dict(await call.trailing_metadata()).get("x-bankai-release", ""))


async def test_a_changed_file_is_taken_up_and_calls_in_flight_go_on(tmp_path: Path, key_file: tuple[Path, str]) -> None:
    file = tmp_path / "routes.yaml"
    old, new = Toy(), Toy()
    async with serving(old, with_reflection=True) as old_port, serving(new, with_reflection=True) as new_port:
        before, after = f"127.0.0.1:{old_port}", f"127.0.0.1:{new_port}"
        async with through(with_file(file, key_file[0], {SERVICE: before}), key_file[1]) as client:
            await reached(client)
            await learned_methods(client)
            talking = client.bidi("Chat")
            await talking.write(b"one")
            assert await talking.read() == b"you said one"
            releases = {"stable": before, "blue": after}
            file.write_text(json.dumps({SERVICE: {"releases": releases, "pinned": {"ivr": "blue"}}}))

            async def blue() -> bool:
                return await release(client) == "blue"

            await until(blue)
            await talking.write(b"two")
            assert await talking.read() == b"you said two"
            file.write_text(json.dumps({SERVICE: after}))

            async def stable() -> bool:
                return await release(client) == "stable"

            await until(stable)
            await talking.write(b"three")
            assert await talking.read() == b"you said three"
            await talking.done_writing()
            assert await talking.read() == b"bye"
            new.requests.clear()
            old.requests.clear()
            await client.unary("Save", b"x")
            assert (len(old.requests), len(new.requests)) == (0, 1)


@pytest.mark.parametrize("wrong", ["[", f"{{{SERVICE}: nowhere}}", "", None])
async def test_a_wrong_file_leaves_the_table_as_it_was(
    tmp_path: Path, key_file: tuple[Path, str], toy: Toy, wrong: str | None
) -> None:
    file = tmp_path / "routes.yaml"
    async with serving(toy, with_reflection=True) as port:
        right = {SERVICE: f"127.0.0.1:{port}"}
        async with through(with_file(file, key_file[0], right), key_file[1]) as client:
            await reached(client)
            before = refused()
            if wrong is None:
                file.unlink()
            else:
                file.write_text(wrong)

            async def told() -> bool:
                return refused() > before

            await until(told)
            assert await client.unary("Echo", b"x") == b"x"
            file.write_text(json.dumps({SERVICE: right[SERVICE], "later.v1.Later": right[SERVICE]}))
            health: Any = health_pb2_grpc.HealthStub(client.channel)

            async def taken_up() -> bool:
                answer = health.Check(health_pb2.HealthCheckRequest(service="later.v1.Later"))
                return await answer.code() is grpc.StatusCode.OK

            await until(taken_up)
            file.write_text(json.dumps({"later.v1.Later": right[SERVICE]}))

            async def unknown() -> bool:
                try:
                    await client.unary("Echo", b"x")
                except grpc.aio.AioRpcError as error:
                    return from_rpc_error(error).reason == "UNKNOWN_METHOD"
                return False

            await until(unknown)
            watched = await health.Check(health_pb2.HealthCheckRequest(service=SERVICE))
            assert watched.status == health_pb2.HealthCheckResponse.NOT_SERVING

            async def not_measured() -> bool:
                return REGISTRY.get_sample_value("bankai_serving", {"grpc_service": SERVICE}) is None

            await until(not_measured)


async def test_a_stopped_canary_stays_stopped_until_its_own_route_changes(
    tmp_path: Path, key_file: tuple[Path, str]
) -> None:
    file = tmp_path / "routes.yaml"
    bad = Toy()
    bad.failures, bad.failing = 1_000_000, grpc.StatusCode.INTERNAL
    async with serving(Toy(), with_reflection=True) as port, serving(bad, with_reflection=False) as bad_port:
        releases = {"stable": f"127.0.0.1:{port}", "next": f"127.0.0.1:{bad_port}"}
        route: dict[str, Any] = {
            "releases": releases,
            "canary": {"release": "next", "percent": 50, "min_calls": 20},
            "breaker": {"min_calls": 10_000},
        }
        async with through(with_file(file, key_file[0], {SERVICE: route}), key_file[1]) as client:
            await reached(client)

            async def stopped() -> bool:
                await release(client)
                return sample("gateway_canary_stopped", release="next") == 1

            await until(stopped)
            file.write_text(json.dumps({SERVICE: route, "later.v1.Later": releases["stable"]}))
            await asyncio.sleep(0.5)
            assert {await release(client) for _ in range(30)} == {"stable"}
            route["canary"]["percent"] = 60
            file.write_text(json.dumps({SERVICE: route}))

            async def on_trial_again() -> bool:
                return await release(client) == "next"

            await until(on_trial_again)
