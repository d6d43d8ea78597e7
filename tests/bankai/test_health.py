import asyncio
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client import REGISTRY

from bankai import status
from tests.bankai.toy import SERVICE, serving

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


def asking(service: str = SERVICE) -> health_pb2.HealthCheckRequest:
    return health_pb2.HealthCheckRequest(service=service)


def health(channel: Any) -> Any:
    return health_pb2_grpc.HealthStub(channel)


async def test_each_service_has_its_own_health() -> None:
    async with serving() as (_, server, channel):
        assert (await health(channel).Check(asking())).status == SERVING
        await server.set_serving(SERVICE, serving=False)
        assert (await health(channel).Check(asking())).status == NOT_SERVING
        assert (await health(channel).Check(asking(""))).status == SERVING
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await health(channel).Check(asking("nobody"))
        assert status.from_rpc_error(caught.value).reason == "SERVICE_NOT_FOUND"
        with pytest.raises(KeyError):
            await server.set_serving("nobody", serving=True)


async def test_health_is_a_metric_too() -> None:
    def told() -> float | None:
        return REGISTRY.get_sample_value("bankai_serving", {"grpc_service": SERVICE})

    async with serving() as (_, server, _channel):
        assert told() == 1
        await server.set_serving(SERVICE, serving=False)
        assert told() == 0
        await server.set_serving(SERVICE, serving=True)
        await server.drain()
        assert told() == 0


async def test_every_watcher_hears_of_every_change_even_when_another_leaves() -> None:
    async with serving() as (_, server, channel):
        leaving, staying, unknown = (health(channel).Watch(asking(name)) for name in (SERVICE, SERVICE, "nobody"))
        assert (await leaving.read()).status == SERVING
        assert (await staying.read()).status == SERVING
        assert (await unknown.read()).status == UNKNOWN
        leaving.cancel()
        await server.set_serving(SERVICE, serving=True)  # no change, no message
        await server.set_serving(SERVICE, serving=False)
        assert (await staying.read()).status == NOT_SERVING
        await server.set_serving(SERVICE, serving=True)
        assert (await staying.read()).status == SERVING


async def test_a_drain_tells_watchers_and_does_not_wait_for_them() -> None:
    async with serving(drain_grace_s=60.0) as (_, server, channel):
        watch = health(channel).Watch(asking())
        assert (await watch.read()).status == SERVING
        draining = asyncio.create_task(server.drain())
        assert (await watch.read()).status == NOT_SERVING
        assert await watch.read() is grpc.aio.EOF
        await asyncio.wait_for(draining, 10)
        await server.set_serving(SERVICE, serving=True)  # without effect, and without an error
