"""TLS on the HTTP port, and how a client's certificate speaks for it."""

import functools
import ssl
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from bankai.loopback import HOST
from gateway.app import gateway
from gateway.http.peer import Peer
from gateway.http.port import http_port
from tests.gateway.http.conftest import Http, settings_for
from tests.gateway.http.kinds import Kinds, serving

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


@pytest.mark.parametrize("shown", [False, True])
async def test_what_vouches_for_a_certificate_goes_along(
    certificates: Path, key_file: tuple[Path, str], monkeypatch: pytest.MonkeyPatch, *, shown: bool
) -> None:
    peers: list[Peer] = []

    def vouch(peer: Peer) -> Sequence[tuple[str, str]]:
        peers.append(peer)
        return (("x-vouched", ",".join(peer.uris)), ("x-bankai-vouched", "for the gateway only"))

    monkeypatch.setattr("gateway.app.http_port", functools.partial(http_port, vouch=vouch))
    async with secure(certificates, key_file, mutual=shown, shown=shown) as http:
        status, told = await http.json("Headers", headers={"x-vouched": "spiffe://bank.example/core"})
    assert status == 200
    assert told["x-vouched"] == (URI if shown else "")
    assert "x-bankai-vouched" not in told
    mine = (certificates / "client.pem").read_text() if shown else ""
    assert peers == [Peer(HOST, mine, (URI,) if shown else ())]
