"""TLS on the HTTP port, and how a client's certificate speaks for it."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import yaml

from bankai.interceptors import CallInfo
from bankai.loopback import HOST
from bankai.watched import PERIOD_S
from gateway.app import gateway
from gateway.authn.api_keys import add_key, new_key
from gateway.authn.handover import CERTIFICATE_HEADER, PROOF_HEADER, Handover
from tests.gateway.http.conftest import Http, settings_for
from tests.gateway.http.kinds import SERVICE, Kinds, serving

URI = "spiffe://bank.example/ivr"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca", "-days", "2")
    for name, names in (("server", f"IP:{HOST}"), ("client", f"DNS:client,URI:{URI}")):
        (folder / "names").write_text(f"subjectAltName={names}")
        openssl("req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        signing = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names", "-days", "2")
        openssl("x509", "-req", "-in", f"{name}.csr", *signing, "-out", f"{name}.pem")
    return folder


@asynccontextmanager
async def secure(certificates: Path, key_file: tuple[Path, str], *, mutual: bool, shown: bool) -> AsyncIterator[Http]:
    """A client that trusts the gateway's certificate and, where `shown`, has one of its own."""
    tls = {"cert": certificates / "server.pem", "key": certificates / "server.key"}
    if mutual:
        tls["client_ca"] = certificates / "ca.pem"
    context = ssl.create_default_context(cafile=certificates / "ca.pem")
    if shown:
        context.load_cert_chain(certificates / "client.pem", certificates / "client.key")
    async with serving(Kinds()) as port:
        settings = settings_for(f"{HOST}:{port}", key_file[0], server={"tls": tls})
        async with gateway(settings) as server:
            await server.start()
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
                yield Http(session, f"https://{settings.http.listen}", key_file[1], server)
            await server.drain()


@pytest.mark.parametrize(("mutual", "shown"), [(False, False), (False, True), (True, True)])
async def test_a_call_by_tls(certificates: Path, key_file: tuple[Path, str], *, mutual: bool, shown: bool) -> None:
    async with secure(certificates, key_file, mutual=mutual, shown=shown) as http:
        async with http.post("Mirror", '{"int32Value": 1}') as answer:
            assert await answer.json() == {"int32Value": 1}
            assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        async with http.session.get(f"{http.base}/readyz") as answer:
            assert answer.status == 200


async def test_without_the_certificate_that_is_asked_for(certificates: Path, key_file: tuple[Path, str]) -> None:
    async with secure(certificates, key_file, mutual=True, shown=False) as http:
        with pytest.raises(aiohttp.ClientError):
            await http.json("Mirror")


async def test_plain_text_is_not_answered(certificates: Path, key_file: tuple[Path, str]) -> None:
    async with secure(certificates, key_file, mutual=False, shown=False) as http, aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientError):
            await session.get(f"http://{HOST}:{http.port}/healthz")


CHANNELS = {
    "ivr": {"certificates": [URI], "allow": [{"service": SERVICE, "methods": ["*"]}]},
    "risk": {"allow": [{"service": SERVICE, "methods": ["*"]}]},
}


async def test_a_certificate_stands_for_its_channel(certificates: Path, key_file: tuple[Path, str]) -> None:
    async with secure(certificates, key_file, mutual=True, shown=True) as http:
        key_file[0].with_name("policy.yaml").write_text(yaml.safe_dump({"channels": CHANNELS}))
        await asyncio.sleep(PERIOD_S + 0.1)
        url = f"{http.base}/v1/{SERVICE}/Headers"
        async with http.session.post(url, json={}) as answer:
            assert answer.status == 200
            assert (await answer.json())["x-bankai-channel"] == "ivr"
        stolen, record = new_key("risk")
        add_key(key_file[0], record)
        await asyncio.sleep(PERIOD_S + 0.1)
        async with http.session.post(url, json={}, headers={"x-api-key": stolen}) as answer:
            assert answer.status == 401
            assert "CREDENTIALS_DISAGREE" in await answer.text()


async def test_nobody_hands_a_certificate_over_but_the_port(certificates: Path, key_file: tuple[Path, str]) -> None:
    pem = (certificates / "client.pem").read_bytes()
    forged = ((CERTIFICATE_HEADER, pem), (PROOF_HEADER, "letmein"))
    async with secure(certificates, key_file, mutual=False, shown=False) as http:
        headers = {"x-bankai-handover": "letmein", "x-bankai-client-certificate-bin": "eA=="}
        async with http.session.post(f"{http.base}/v1/{SERVICE}/Headers", json={}, headers=headers) as answer:
            assert answer.status == 401
        call = CallInfo("/a.B/C", request_streaming=False, response_streaming=False, metadata=forged)
        assert Handover().certificate(call) is None


def test_what_is_handed_over_arrives(certificates: Path) -> None:
    handover = Handover()
    pem = (certificates / "client.pem").read_text()
    call = CallInfo("/a.B/C", False, False, tuple(handover.metadata(pem)))  # noqa: FBT003  # which kind of call is all the same
    found = handover.certificate(call)
    assert found is not None
    assert URI in found.names
    assert handover.metadata("") == ()
    assert Handover().certificate(call) is None  # another process's
