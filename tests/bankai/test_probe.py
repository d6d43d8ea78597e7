"""The probe tells what a real server says, over TLS."""

import asyncio
import sys
from pathlib import Path

import pytest

from bankai.probe import ask
from bankai.server import GrpcServer
from bankai.settings import ServerSettings, TlsSettings
from tests.certificates import Authority


@pytest.fixture
def tls(tmp_path: Path) -> Path:
    """A folder as cert-manager fills it."""
    authority = Authority()
    pair = authority.issue("intent")
    for file, pem in (("tls.crt", pair.cert), ("tls.key", pair.key), ("ca.crt", authority.pem)):
        (tmp_path / file).write_bytes(pem)
    return tmp_path


def _server(tls: Path) -> GrpcServer:
    files = TlsSettings(cert=tls / "tls.crt", key=tls / "tls.key", client_ca=tls / "ca.crt")
    server = GrpcServer(ServerSettings(listen="127.0.0.1:0", drain_grace_s=0, tls=files), name="probed")
    server.add_elsewhere(["bank.Service"])
    return server


async def test_it_says_what_the_server_says(tls: Path) -> None:
    server = _server(tls)
    port = await server.start()
    try:
        address = f"127.0.0.1:{port}"
        assert await asyncio.to_thread(ask, address, tls, "localhost", "") == ""
        assert await asyncio.to_thread(ask, address, tls, "localhost", "bank.Service") == "NOT_SERVING"
        assert await asyncio.to_thread(ask, address, tls, "localhost", "bank.Other") == "NOT_FOUND"
        assert await asyncio.to_thread(ask, address, tls, "elsewhere", "") == "UNAVAILABLE"
        await server.set_serving("", serving=False)
        assert await asyncio.to_thread(ask, address, tls, "localhost", "") == "NOT_SERVING"
    finally:
        await server.drain()


async def test_its_exit_code_is_for_the_kubelet(tls: Path) -> None:
    server = _server(tls)
    port = await server.start()
    command = [sys.executable, "-m", "bankai.probe", f"127.0.0.1:{port}", "--tls", str(tls), "--name", "localhost"]
    try:
        process = await asyncio.create_subprocess_exec(*command)
        assert await process.wait() == 0
    finally:
        await server.drain()
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, said = await process.communicate()
    assert process.returncode == 1
    assert said.decode().strip().endswith("UNAVAILABLE")
