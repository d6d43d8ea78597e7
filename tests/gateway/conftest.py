import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client import REGISTRY

from bankai.server import GrpcServer
from gateway.app import gateway
from gateway.authn.api_keys import add_key, new_key
from gateway.reflection import SERVICES as REFLECTION
from gateway.settings import GatewaySettings
from tests.gateway.toy import SERVICE, Toy, serving


def as_is(message: bytes) -> bytes:
    return message


class Client:
    """Calls the toy through a channel with a key."""

    def __init__(self, channel: grpc.aio.Channel, key: str, server: GrpcServer) -> None:
        self.channel = channel
        self.server = server
        self.key = (("x-api-key", key),)

    def _options(self, options: dict[str, Any]) -> dict[str, Any]:
        return options | {"metadata": (*self.key, *options.pop("metadata", ()))}

    def unary(self, method: str, request: bytes, **options: Any) -> grpc.aio.UnaryUnaryCall[bytes, bytes]:
        return self.channel.unary_unary(f"/{SERVICE}/{method}", as_is, as_is)(request, **self._options(options))

    def server_stream(self, method: str, request: bytes, **options: Any) -> grpc.aio.UnaryStreamCall[bytes, bytes]:
        return self.channel.unary_stream(f"/{SERVICE}/{method}", as_is, as_is)(request, **self._options(options))

    def client_stream(
        self, method: str, requests: Any = None, **options: Any
    ) -> grpc.aio.StreamUnaryCall[bytes, bytes]:
        return self.channel.stream_unary(f"/{SERVICE}/{method}", as_is, as_is)(requests, **self._options(options))

    def bidi(self, method: str, requests: Any = None, **options: Any) -> grpc.aio.StreamStreamCall[bytes, bytes]:
        return self.channel.stream_stream(f"/{SERVICE}/{method}", as_is, as_is)(requests, **self._options(options))


@pytest.fixture
def key_file(tmp_path: Path) -> tuple[Path, str]:
    """A file with the key of the channel "ivr", and that key."""
    file = tmp_path / "keys.yaml"
    raw, record = new_key("ivr")
    add_key(file, record)
    return file, raw


def policy_beside(keys_file: Path, *channels: str) -> Path:
    """A policy beside a file of keys, that lets channels call the toy and whatever else the tests call."""
    services = [SERVICE, "toy.v1.Kinds", "no.Such", "bankai.intent.v1.IntentService", *REFLECTION]
    grants = [{"service": service, "methods": ["*"]} for service in services]
    file = keys_file.with_name("policy.yaml")
    content = {"channels": {channel: {"allow": grants} for channel in channels or ("ivr", "core-banking")}}
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    return file


def settings_for(target: str | dict[str, Any], keys_file: Path, **server: Any) -> GatewaySettings:
    """Settings of a gateway in front of the toy, by its target or its whole route."""
    return GatewaySettings.model_validate(
        {
            "routes": {SERVICE: target},
            "keys_file": keys_file,
            "policy_file": policy_beside(keys_file),
            "server": {"listen": "127.0.0.1:0", "drain_grace_s": 0, **server},
        }
    )


@asynccontextmanager
async def through(settings: GatewaySettings, key: str) -> AsyncIterator[Client]:
    """A client of a gateway that runs."""
    async with gateway(settings) as server:
        port = await server.start()
        try:
            # A pool of its own: else the channels of several tests to one port would share their connections.
            options = (("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1))
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options) as channel:
                yield Client(channel, key, server)
        finally:
            await server.drain()


async def reached(client: Client) -> None:
    """Waits until the gateway has reached the toy; until then a call may be refused."""
    stub: Any = health_pb2_grpc.HealthStub(client.channel)
    watch = stub.Watch(health_pb2.HealthCheckRequest(service=SERVICE))
    async with asyncio.timeout(20):
        async for health in watch:
            if health.status == health_pb2.HealthCheckResponse.SERVING:
                break
    watch.cancel()


def unary_calls() -> float:
    """How many calls of Echo were relayed as unary ones so far."""
    labels = {"grpc_service": SERVICE, "grpc_method": "Echo", "grpc_type": "unary", "grpc_code": "OK"}
    return REGISTRY.get_sample_value("grpc_server_handled_total", labels) or 0.0


async def learned_methods(client: Client) -> None:
    """Waits until the gateway relays unary calls as such; works where the toy serves."""
    before = unary_calls()
    async with asyncio.timeout(20):
        while unary_calls() == before:
            await client.unary("Echo", b"")


@pytest.fixture
def toy() -> Toy:
    return Toy()


@pytest.fixture
async def client(toy: Toy, key_file: tuple[Path, str]) -> AsyncIterator[Client]:
    """A client of a gateway in front of the toy, whose kinds are not known: every call is relayed as a stream."""
    async with (
        serving(toy, with_reflection=False) as port,
        through(settings_for(f"127.0.0.1:{port}", key_file[0]), key_file[1]) as client,
    ):
        await reached(client)
        yield client


@pytest.fixture(params=["as stream", "as unary"])
async def either(request: pytest.FixtureRequest, toy: Toy, key_file: tuple[Path, str]) -> AsyncIterator[Client]:
    """The same twice: kinds not known, and learned by reflection, so that unary calls are relayed as such."""
    learned = request.param == "as unary"
    async with (
        serving(toy, with_reflection=learned) as port,
        through(settings_for(f"127.0.0.1:{port}", key_file[0]), key_file[1]) as client,
    ):
        await reached(client)
        if learned:
            await learned_methods(client)
        yield client
