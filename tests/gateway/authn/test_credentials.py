"""Every way in and every way to be refused, through a real gateway whose files change while it runs."""

import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey

from bankai.status import from_rpc_error
from gateway.app import gateway
from gateway.authn.api_keys import add_key, new_key, remove_key
from gateway.authn.certificates import read_certificate
from gateway.settings import GatewaySettings
from tests.certificates import Authority, Pair
from tests.gateway.conftest import as_is
from tests.gateway.toy import SERVICE, Toy, serving
from tests.tokens import forged

ECHO, SHOW = f"/{SERVICE}/Echo", f"/{SERVICE}/Show"
ISSUER, AUDIENCE = "https://login.bank.example", "bankai"


@dataclass
class Bank:
    """A gateway that takes certificates, tokens and keys, and who it trusts."""

    port: int
    folder: Path
    authority: Authority
    provider: ECKey
    pair: Pair

    def token(self, key: ECKey | OKPKey | None = None, algorithm: str = "ES256", **changed: Any) -> str:
        signed_by = key or self.provider
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": AUDIENCE, "client_id": "ivr-app", "iat": now, "exp": now + 300, "scope": "call"}
        header = {"alg": algorithm, "kid": signed_by.kid, "typ": "at+jwt"}
        return jwt.encode(header, claims | changed, signed_by, algorithms=[algorithm])

    async def call(self, method: str = ECHO, pair: Pair | None = None, **metadata: str) -> str:
        """ "OK" or the reason of the refusal."""
        shown = pair or self.pair
        credentials = grpc.ssl_channel_credentials(self.authority.pem, shown.key, shown.cert)
        options = (("grpc.use_local_subchannel_pool", 1),)
        sent = tuple((name.replace("_", "-"), value) for name, value in metadata.items())
        async with grpc.aio.secure_channel(f"127.0.0.1:{self.port}", credentials, options) as channel:
            try:
                await channel.unary_unary(method, as_is, as_is)(b"", metadata=sent, timeout=20)
            except grpc.aio.AioRpcError as error:
                return from_rpc_error(error).reason
        return "OK"

    def rewrite_policy(self, **channels: Any) -> None:
        (self.folder / "policy.yaml").write_text(yaml.safe_dump({"channels": channels}))


GRANT = {"service": SERVICE, "methods": ["Echo"]}
ADMIN = {"service": SERVICE, "methods": ["Show"], "scopes": ["admin"]}
IVR = {"clients": ["ivr-app"], "certificates": ["spiffe://bank.example/ivr"], "allow": [GRANT, ADMIN]}


@pytest.fixture
async def bank(tmp_path: Path, toy: Toy, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bank]:

    monkeypatch.setattr("bankai.watched.PERIOD_S", 0.0)
    authority = Authority()
    cert, key = authority.issue("gateway").write(tmp_path, "gateway")
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    provider = ECKey.generate_key("P-256", {"kid": "first"})
    (tmp_path / "jwks.json").write_text(json.dumps({"keys": [provider.as_dict(private=False)]}))
    add_key(tmp_path / "keys.yaml", new_key("nobody")[1])
    async with serving(toy, with_reflection=False) as backend:
        bank = Bank(0, tmp_path, authority, provider, authority.issue("edge proxy"))
        bank.rewrite_policy(ivr=IVR, risk={"allow": [GRANT]})
        settings = GatewaySettings.model_validate(
            {
                "routes": {SERVICE: f"127.0.0.1:{backend}"},
                "policy_file": tmp_path / "policy.yaml",
                "keys_file": tmp_path / "keys.yaml",
                "tokens": {"issuer": ISSUER, "audience": AUDIENCE, "jwks": str(tmp_path / "jwks.json")},
                "server": {
                    "listen": "127.0.0.1:0",
                    "drain_grace_s": 0,
                    "tls": {"cert": cert, "key": key, "client_ca": tmp_path / "ca.pem"},
                },
            }
        )
        async with gateway(settings) as server:
            bank.port = await server.start()
            try:
                yield bank
            finally:
                await server.drain()


def bearer(secret: str) -> dict[str, Any]:
    return {"authorization": f"Bearer {secret}"}


async def test_a_good_token(bank: Bank) -> None:
    assert await bank.call(**bearer(bank.token())) == "OK"


async def test_scopes_open_what_needs_them(bank: Bank) -> None:
    assert await bank.call(SHOW, **bearer(bank.token())) == "SCOPE_MISSING"
    assert await bank.call(SHOW, **bearer(bank.token(scope="call admin"))) == "OK"
    ivr = bank.authority.issue("x", uris=["spiffe://bank.example/ivr"])
    assert await bank.call(SHOW, ivr) == "OK"  # a certificate has no scopes
    assert await bank.call(SHOW, ivr, **bearer(bank.token())) == "SCOPE_MISSING"  # a token narrows it down


async def test_tokens_that_are_refused(bank: Bank) -> None:
    now = int(time.time())
    stranger = ECKey.generate_key("P-256", {"kid": "first"})
    claims = {"iss": ISSUER, "aud": AUDIENCE, "client_id": "ivr-app", "exp": now + 300}
    public = bank.provider.as_pem(private=False)
    refused = {
        bank.token(exp=now - 60): "TOKEN_EXPIRED",
        bank.token(aud="another service"): "TOKEN_NOT_FOR_US",
        bank.token(iss="https://evil.example"): "TOKEN_NOT_FOR_US",
        bank.token(nbf=now + 600): "TOKEN_NOT_FOR_US",
        bank.token(client_id="stranger"): "CLIENT_UNKNOWN",
        bank.token(stranger): "TOKEN_INVALID",
        bank.token(ECKey.generate_key("P-256", {"kid": "other"})): "TOKEN_KEY_UNKNOWN",
        forged({"alg": "none", "kid": "first"}, claims): "TOKEN_INVALID",
        forged({"alg": "HS256", "kid": "first"}, claims, public): "TOKEN_INVALID",
        bank.token()[:-4] + "AAAA": "TOKEN_INVALID",
        "a.b.c": "TOKEN_INVALID",
    }
    assert [await bank.call(**bearer(token)) for token in refused] == list(refused.values())


async def test_a_token_that_is_bound_to_a_certificate_is_of_no_use_to_a_thief(bank: Bank) -> None:
    owner = bank.authority.issue("app")
    bound = bank.token(cnf={"x5t#S256": read_certificate(owner.cert).thumbprint})
    assert await bank.call(pair=owner, **bearer(bound)) == "OK"
    assert await bank.call(pair=bank.authority.issue("thief"), **bearer(bound)) == "TOKEN_BOUND_ELSEWHERE"


async def test_the_provider_s_keys_change(bank: Bank) -> None:
    old = bank.token()
    assert await bank.call(**bearer(old)) == "OK"
    second = ECKey.generate_key("P-256", {"kid": "second"})
    keys = [bank.provider.as_dict(private=False), second.as_dict(private=False)]
    (bank.folder / "jwks.json").write_text(json.dumps({"keys": keys}))
    assert await bank.call(**bearer(bank.token(second))) == "OK"
    assert await bank.call(**bearer(old)) == "OK"
    (bank.folder / "jwks.json").write_text(json.dumps({"keys": keys[1:]}))
    assert await bank.call(**bearer(old)) == "TOKEN_KEY_UNKNOWN"  # though it was accepted before


async def test_keys_are_made_expire_and_are_taken_back_while_it_runs(bank: Bank) -> None:
    file = bank.folder / "keys.yaml"
    raw, record = new_key("ivr")
    assert await bank.call(x_api_key=raw) == "API_KEY_UNKNOWN"
    add_key(file, record)
    assert await bank.call(x_api_key=raw) == "OK"
    late, expired = new_key("ivr", expires=datetime.now(UTC) - timedelta(seconds=1))
    add_key(file, expired)
    assert await bank.call(x_api_key=late) == "API_KEY_EXPIRED"
    assert remove_key(file, record.id)
    assert await bank.call(x_api_key=raw) == "API_KEY_UNKNOWN"
    assert not remove_key(file, record.id)


async def test_a_key_of_one_channel_and_a_certificate_of_another(bank: Bank) -> None:
    raw, record = new_key("risk")
    add_key(bank.folder / "keys.yaml", record)
    ivr = bank.authority.issue("x", uris=["spiffe://bank.example/ivr"])
    assert await bank.call(pair=ivr, x_api_key=raw) == "CREDENTIALS_DISAGREE"
    assert await bank.call(x_api_key=raw) == "OK"


async def test_nothing_shown_and_a_channel_that_the_policy_forgot(bank: Bank) -> None:
    assert await bank.call() == "CERTIFICATE_UNKNOWN"
    raw, record = new_key("forgotten")
    add_key(bank.folder / "keys.yaml", record)
    assert await bank.call(x_api_key=raw) == "CHANNEL_UNKNOWN"


async def test_a_changed_policy_is_in_force_at_once_and_a_wrong_one_is_not(bank: Bank) -> None:
    token = bearer(bank.token())
    assert await bank.call(**token) == "OK"
    bank.rewrite_policy(ivr={"clients": ["ivr-app"]})
    assert await bank.call(**token) == "METHOD_NOT_ALLOWED"
    (bank.folder / "policy.yaml").write_text("channels: {ivr: {allow: all}}")
    assert await bank.call(**token) == "METHOD_NOT_ALLOWED"
    bank.rewrite_policy(ivr=IVR)
    assert await bank.call(**token) == "OK"
