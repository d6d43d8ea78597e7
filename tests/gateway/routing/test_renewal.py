"""The gateway's own certificate for its backends changes while it runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bankai.server import GrpcServer
from bankai.settings import ServerSettings, TlsSettings
from tests.certificates import Authority
from tests.gateway.conftest import reached, settings_for, through
from tests.gateway.toy import Toy


@asynccontextmanager
async def secured(toy: Toy, folder: Path) -> AsyncIterator[int]:
    """The toy behind mTLS, with the certificates of a folder."""
    tls = TlsSettings(cert=folder / "toy.pem", key=folder / "toy.key", client_ca=folder / "ca.pem")
    server = GrpcServer(ServerSettings(listen="127.0.0.1:0", drain_grace_s=0, tls=tls), name="toy")
    server.add(lambda grpc_server: grpc_server.add_generic_rpc_handlers((toy,)), ())
    port = await server.start()
    try:
        yield port
    finally:
        await server.drain()


def issue(folder: Path, authority: Authority) -> None:
    (folder / "ca.pem").write_bytes(authority.pem)
    authority.issue("toy").write(folder, "toy")
    authority.issue("gateway").write(folder, "gateway")


async def test_channels_are_opened_anew_with_new_certificates(
    tmp_path: Path, key_file: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bankai.watched.PERIOD_S", 0.0)
    monkeypatch.setattr("gateway.routing.renewal.PERIOD_S", 0.05)
    issue(tmp_path, Authority("the first one"))
    toy = Toy()
    async with secured(toy, tmp_path) as port:
        backend = {"ca": tmp_path / "ca.pem", "cert": tmp_path / "gateway.pem", "key": tmp_path / "gateway.key"}
        settings = settings_for(f"ipv4:127.0.0.1:{port}", key_file[0])
        settings = settings.model_copy(update={"backend": settings.backend.model_copy(update=backend)})
        async with through(settings, key_file[1]) as client:
            await reached(client)
            assert await client.unary("Echo", b"before") == b"before"
            talking = client.bidi("Chat")
            await talking.write(b"one")
            assert await talking.read() == b"you said one"
            issue(tmp_path, Authority("the next one"))
            await asyncio.sleep(0.3)
            # The toy takes new connections of the next authority only, so this one is new.
            assert await client.unary("Echo", b"after", timeout=20) == b"after"
            await talking.write(b"two")
            assert await talking.read() == b"you said two"
            talking.cancel()


async def test_half_a_change_keeps_the_channels(
    tmp_path: Path, key_file: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bankai.watched.PERIOD_S", 0.0)
    monkeypatch.setattr("gateway.routing.renewal.PERIOD_S", 0.05)
    issue(tmp_path, Authority())
    async with secured(Toy(), tmp_path) as port:
        backend = {"ca": tmp_path / "ca.pem", "cert": tmp_path / "gateway.pem", "key": tmp_path / "gateway.key"}
        settings = settings_for(f"ipv4:127.0.0.1:{port}", key_file[0])
        settings = settings.model_copy(update={"backend": settings.backend.model_copy(update=backend)})
        async with through(settings, key_file[1]) as client:
            await reached(client)
            (tmp_path / "gateway.key").write_bytes(Authority().issue("else").key)
            await asyncio.sleep(0.3)
            assert await client.unary("Echo", b"still") == b"still"
