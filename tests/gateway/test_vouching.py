"""A service behind the gateway, reached through it and around it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
import yaml

from bankai import vouching
from bankai.interceptors import service_interceptors
from bankai.interceptors.base import Context
from bankai.server import GrpcServer
from bankai.settings import ServerSettings, ServiceSettings
from bankai.status import from_rpc_error
from bankai.vouching import Signer, Vouch, new_key_pair, read_private_key
from gateway.settings import GatewaySettings
from tests.gateway.conftest import as_is, settings_for, through
from tests.gateway.toy import SERVICE, Toy

ECHO = f"/{SERVICE}/Echo"


class Listening(Toy):
    """A toy that keeps what the gateway says of its calls."""

    heard: Vouch | None = None

    async def _echo(self, request: bytes, context: Context) -> bytes:
        self.heard = vouching.current()
        return await super()._echo(request, context)


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    """Files of the gateway's private and the service's public key."""
    files = tmp_path / "vouching.pem", tmp_path / "vouching.pub.pem"
    for file, pem in zip(files, new_key_pair(), strict=True):
        file.write_bytes(pem)
    return files


@asynccontextmanager
async def service(toy: Toy, gateway_keys: Path | None) -> AsyncIterator[int]:
    settings = ServiceSettings(server=ServerSettings(listen="127.0.0.1:0", drain_grace_s=0), gateway_keys=gateway_keys)
    server = GrpcServer(settings.server, name="toy", interceptors=service_interceptors(settings))
    server.add(lambda grpc_server: grpc_server.add_generic_rpc_handlers((toy,)), ())
    port = await server.start()
    try:
        yield port
    finally:
        await server.drain()


async def direct(port: int, method: str = ECHO, **metadata: str) -> str:
    """ "OK" or the reason of the refusal of a call that goes around the gateway."""
    sent = tuple((name.replace("_", "-"), value) for name, value in metadata.items())
    options = (("grpc.use_local_subchannel_pool", 1),)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options) as channel:
        try:
            await channel.unary_unary(method, as_is, as_is)(b"", metadata=sent, timeout=20)
        except grpc.aio.AioRpcError as error:
            return from_rpc_error(error).reason
    return "OK"


def vouched(settings: GatewaySettings, key: Path, policy: object | None = None) -> GatewaySettings:
    if policy is not None:
        settings.policy_file.write_text(yaml.safe_dump(policy))
    return settings.model_copy(update={"vouching_key": key})


async def test_the_service_hears_what_the_policy_says(key_file: tuple[Path, str], keys: tuple[Path, Path]) -> None:
    toy = Listening()
    limits = {"languages": ["zh"], "document_kinds": ["loan_contract"], "reads": ["core-banking"]}
    policy = {"channels": {"ivr": {"allow": [{"service": SERVICE, "methods": ["Echo"], "limits": limits}]}}}
    async with service(toy, keys[1]) as port:
        settings = vouched(settings_for(f"127.0.0.1:{port}", key_file[0]), keys[0], policy)
        async with through(settings, key_file[1]) as client:
            assert await client.unary("Echo", b"hello", wait_for_ready=True) == b"hello"
    assert toy.heard == Vouch("ivr", ("zh",), ("loan_contract",), ("core-banking",))


async def test_a_channel_that_may_read_all(key_file: tuple[Path, str], keys: tuple[Path, Path]) -> None:
    toy = Listening()
    grant = {"service": SERVICE, "methods": ["Echo"], "limits": {"reads": ["*"]}}
    async with service(toy, keys[1]) as port:
        settings = settings_for(f"127.0.0.1:{port}", key_file[0])
        settings = vouched(settings, keys[0], {"channels": {"ivr": {"allow": [grant]}}})
        async with through(settings, key_file[1]) as client:
            await client.unary("Echo", b"")
    assert toy.heard == Vouch("ivr", reads=None)


async def test_calls_around_the_gateway_are_refused(tmp_path: Path, keys: tuple[Path, Path]) -> None:
    signer = Signer(read_private_key(keys[0]))
    (tmp_path / "else.pem").write_bytes(new_key_pair()[0])
    stranger = Signer(read_private_key(tmp_path / "else.pem"))
    ivr = Vouch("ivr")
    async with service(Listening(), keys[1]) as port:
        assert await direct(port) == "NOT_VOUCHED"
        assert await direct(port, x_bankai_channel="ivr") == "NOT_VOUCHED"
        assert await direct(port, x_bankai_vouch="letmein") == "NOT_VOUCHED"
        assert await direct(port, x_bankai_vouch=stranger.token(ivr, ECHO)) == "NOT_VOUCHED"
        assert await direct(port, x_bankai_vouch=signer.token(ivr, f"/{SERVICE}/Show")) == "NOT_VOUCHED"
        assert await direct(port, x_bankai_vouch=signer.token(ivr, ECHO)) == "OK"


async def test_health_is_open_to_probes(keys: tuple[Path, Path]) -> None:
    async with service(Listening(), keys[1]) as port:
        assert await direct(port, "/grpc.health.v1.Health/Check") == "OK"


async def test_a_gateway_that_does_not_vouch_is_refused_by_services_that_ask(
    key_file: tuple[Path, str], keys: tuple[Path, Path]
) -> None:
    async with (
        service(Listening(), keys[1]) as port,
        through(settings_for(f"127.0.0.1:{port}", key_file[0]), key_file[1]) as client,
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await client.unary("Echo", b"")
    assert from_rpc_error(caught.value).reason == "NOT_VOUCHED"


async def test_keys_change_without_a_restart(
    key_file: tuple[Path, str], keys: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bankai.watched.PERIOD_S", 0.0)
    private, public = keys
    next_private, next_public = new_key_pair()
    async with service(Listening(), public) as port:
        settings = vouched(settings_for(f"127.0.0.1:{port}", key_file[0]), private)
        async with through(settings, key_file[1]) as client:
            await client.unary("Echo", b"")
            old = Signer(read_private_key(private)).token(Vouch("ivr"), ECHO)
            public.write_bytes(public.read_bytes() + next_public)
            await client.unary("Echo", b"")
            private.write_bytes(next_private)
            await client.unary("Echo", b"")
            assert await direct(port, x_bankai_vouch=old) == "OK"
            public.write_bytes(next_public)
            await client.unary("Echo", b"")
            assert await direct(port, x_bankai_vouch=old) == "NOT_VOUCHED"


async def test_without_keys_the_named_channel_is_believed(key_file: tuple[Path, str]) -> None:
    toy = Listening()
    async with service(toy, None) as port:
        assert await direct(port, x_bankai_channel="ivr") == "OK"
    assert toy.heard == Vouch("ivr", reads=None)


@pytest.mark.parametrize("listen", ["0.0.0.0:50061", "[::]:50061", "10.1.2.3:50061"])
def test_a_service_beyond_loopback_must_know_its_gateway(listen: str) -> None:
    with pytest.raises(ValueError, match="gateway_keys must be set"):
        ServiceSettings(server=ServerSettings(listen=listen))
