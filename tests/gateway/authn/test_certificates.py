import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml

from bankai.errors import UnauthenticatedError
from bankai.server import GrpcServer
from bankai.status import from_rpc_error
from gateway.app import gateway
from gateway.authn.api_keys import add_key, new_key
from gateway.authn.certificates import read_certificate
from gateway.settings import GatewaySettings
from tests.certificates import Authority, Pair
from tests.gateway.conftest import as_is
from tests.gateway.toy import SERVICE, Toy, serving

IVR = "spiffe://bank.example/ivr"
RISK = "spiffe://bank.example/risk"


@dataclass
class Bank:
    """A gateway that asks for certificates, with its authority and files."""

    port: int
    authority: Authority
    folder: Path
    server: GrpcServer
    key_of_risk: str

    async def echo(self, pair: Pair | None, **metadata: str) -> str:
        """ "OK" or the reason of the refusal of one call over a new connection."""
        async with self.connected(pair) as channel:
            return await outcome(channel, **metadata)

    @asynccontextmanager
    async def connected(self, pair: Pair | None) -> AsyncIterator[grpc.aio.Channel]:
        credentials = grpc.ssl_channel_credentials(
            self.authority.pem, pair.key if pair else None, pair.cert if pair else None
        )
        options = (("grpc.use_local_subchannel_pool", 1),)
        async with grpc.aio.secure_channel(f"127.0.0.1:{self.port}", credentials, options) as channel:
            yield channel


async def outcome(channel: grpc.aio.Channel, **metadata: str) -> str:
    sent = tuple((name.replace("_", "-"), value) for name, value in metadata.items())
    try:
        await channel.unary_unary(f"/{SERVICE}/Echo", as_is, as_is)(b"x", metadata=sent, timeout=20)
    except grpc.aio.AioRpcError as error:
        return from_rpc_error(error).reason
    return "OK"


@pytest.fixture
async def bank(tmp_path: Path, toy: Toy) -> AsyncIterator[Bank]:
    authority = Authority()
    cert, key = authority.issue("gateway").write(tmp_path, "gateway")
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    raw, record = new_key("risk")
    add_key(tmp_path / "keys.yaml", record)
    grants = [{"service": SERVICE, "methods": ["*"]}]
    policy = {
        "channels": {
            "ivr": {"certificates": [IVR], "allow": grants},
            "risk": {"certificates": [RISK, "CN=risk desk"], "allow": grants},
        }
    }
    (tmp_path / "policy.yaml").write_text(yaml.safe_dump(policy))
    async with serving(toy, with_reflection=False) as backend:
        settings = GatewaySettings.model_validate(
            {
                "routes": {SERVICE: f"127.0.0.1:{backend}"},
                "keys_file": tmp_path / "keys.yaml",
                "policy_file": tmp_path / "policy.yaml",
                "server": {
                    "listen": "127.0.0.1:0",
                    "drain_grace_s": 0,
                    "tls": {"cert": cert, "key": key, "client_ca": tmp_path / "ca.pem"},
                },
            }
        )
        async with gateway(settings) as server:
            port = await server.start()
            try:
                yield Bank(port, authority, tmp_path, server, raw)
            finally:
                await server.drain()


async def test_a_certificate_stands_for_its_channel(bank: Bank, toy: Toy) -> None:
    async with bank.connected(bank.authority.issue("anything", uris=[IVR])) as channel:
        await channel.unary_unary(f"/{SERVICE}/Show", as_is, as_is)(b"", timeout=20)
    assert toy.metadata["x-bankai-channel"] == "ivr"


async def test_a_subject_stands_for_its_channel(bank: Bank) -> None:
    assert await bank.echo(bank.authority.issue("risk desk")) == "OK"


async def test_a_certificate_of_a_stranger_is_refused(bank: Bank) -> None:
    assert (
        await bank.echo(bank.authority.issue("stranger", uris=["spiffe://bank.example/else"])) == "CERTIFICATE_UNKNOWN"
    )


async def test_no_certificate_an_unknown_authority_and_an_expired_one_do_not_connect(bank: Bank) -> None:
    expired = bank.authority.issue("ivr", uris=[IVR], lasts=timedelta(minutes=-1))
    for pair in (None, Authority().issue("ivr", uris=[IVR]), expired):
        assert await bank.echo(pair) == "UNAVAILABLE"


async def test_a_key_over_the_connection_of_another_channel_is_refused(bank: Bank) -> None:
    ivr = bank.authority.issue("x", uris=[IVR])
    assert await bank.echo(ivr, x_api_key=bank.key_of_risk) == "CREDENTIALS_DISAGREE"
    risk = bank.authority.issue("x", uris=[RISK])
    assert await bank.echo(risk, x_api_key=bank.key_of_risk) == "OK"
    assert await bank.echo(bank.authority.issue("edge"), x_api_key=bank.key_of_risk) == "OK"


async def test_a_wrong_key_spoils_a_good_certificate(bank: Bank) -> None:
    assert await bank.echo(bank.authority.issue("x", uris=[IVR]), x_api_key="letmein") == "API_KEY_UNKNOWN"


async def test_a_certificate_that_expires_during_its_connection_is_refused(bank: Bank) -> None:
    short = bank.authority.issue("x", uris=[IVR], lasts=timedelta(seconds=5))
    async with bank.connected(short) as channel, asyncio.timeout(30):
        assert await outcome(channel) == "OK"
        while (said := await outcome(channel)) == "OK":  # noqa: ASYNC110  # the clock sets no event
            await asyncio.sleep(0.1)
    assert said == "CERTIFICATE_EXPIRED"


async def test_the_gateway_s_certificate_and_authorities_change_without_a_restart(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bankai.watched.PERIOD_S", 0.0)
    old = bank.authority
    async with bank.connected(old.issue("x", uris=[IVR])) as before:
        assert await outcome(before) == "OK"
        bank.authority = Authority("the next one")
        bank.authority.issue("gateway").write(bank.folder, "gateway")
        (bank.folder / "ca.pem").write_bytes(bank.authority.pem)
        assert await bank.echo(bank.authority.issue("x", uris=[IVR])) == "OK"
        assert await bank.echo(old.issue("x", uris=[IVR])) == "UNAVAILABLE"
        assert await outcome(before) == "OK"  # a connection that stands stays


async def test_half_a_change_keeps_what_was(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bankai.watched.PERIOD_S", 0.0)
    (bank.folder / "gateway.key").write_bytes(bank.authority.issue("else").key)
    assert await bank.echo(bank.authority.issue("x", uris=[IVR])) == "OK"


async def test_a_channel_that_the_policy_takes_a_certificate_from(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bankai.watched.PERIOD_S", 0.0)
    pair = bank.authority.issue("x", uris=[IVR])
    assert await bank.echo(pair) == "OK"
    policy: dict[str, Any] = yaml.safe_load((bank.folder / "policy.yaml").read_text())
    policy["channels"]["ivr"]["certificates"] = []
    (bank.folder / "policy.yaml").write_text(yaml.safe_dump(policy))
    assert await bank.echo(pair) == "CERTIFICATE_UNKNOWN"


def test_what_is_read_of_a_certificate() -> None:
    pair = Authority().issue("risk desk", uris=[RISK, IVR])
    found = read_certificate(pair.cert)
    assert found.names == (RISK, IVR, "CN=risk desk")
    assert len(found.thumbprint) == 43
    found.check()


def test_no_certificate_at_all() -> None:
    with pytest.raises(UnauthenticatedError) as caught:
        read_certificate(b"hello")
    assert caught.value.reason == "CERTIFICATE_INVALID"
