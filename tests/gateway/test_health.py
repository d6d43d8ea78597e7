"""The health that the gateway tells of the services behind it."""

import asyncio
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from bankai.loopback import free_ports
from tests.gateway.conftest import Client, settings_for, through
from tests.gateway.toy import SERVICE, Toy, serving

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


def health(client: Client) -> Any:
    return health_pb2_grpc.HealthStub(client.channel)


async def test_a_service_is_healthy_while_the_gateway_reaches_it(key_file: tuple[Path, str]) -> None:
    port = free_ports(1)[0]
    async with asyncio.timeout(30), through(settings_for(f"ipv4:127.0.0.1:{port}", key_file[0]), key_file[1]) as client:
        stub = health(client)
        watch = stub.Watch(health_pb2.HealthCheckRequest(service=SERVICE))
        assert (await watch.read()).status == NOT_SERVING
        async with serving(Toy(), with_reflection=False, port=port):
            assert (await watch.read()).status == SERVING
            assert await client.unary("Echo", b"first call") == b"first call"
        assert (await watch.read()).status == NOT_SERVING
        assert (await stub.Check(health_pb2.HealthCheckRequest())).status == SERVING
        watch.cancel()


async def test_a_service_without_a_route_has_no_health(key_file: tuple[Path, str]) -> None:
    async with through(settings_for("ipv4:127.0.0.1:1", key_file[0]), key_file[1]) as client:
        call = health(client).Check(health_pb2.HealthCheckRequest(service="nobody.v1.None"))
        assert await call.code() is grpc.StatusCode.NOT_FOUND
