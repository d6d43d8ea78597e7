import asyncio
import io
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bankai.loopback import HOST, free_ports
from bankai.server import GrpcServer
from gateway.app import gateway
from gateway.settings import GatewaySettings
from tests.gateway.conftest import policy_beside
from tests.gateway.http.kinds import SERVICE, Kinds, serving


class Http:
    """Calls the gateway's HTTP port with a key."""

    def __init__(self, session: aiohttp.ClientSession, base: str, key: str, server: GrpcServer) -> None:
        self.session = session
        self.base = base
        self.port = int(base.rpartition(":")[2])
        self.key = key
        self.server = server

    def post(
        self,
        method: str,
        body: Any = None,
        *,
        service: str = SERVICE,
        headers: Mapping[str, str] = {},
        content_type: str = "application/json",
        **options: Any,
    ) -> Any:
        """Calls a method; `body` is sent as it is: text, bytes or an iterator of them."""
        sent = {"authorization": f"Bearer {self.key}", "content-type": content_type, **headers}
        if isinstance(body, str | bytes):
            body = io.BytesIO(body.encode() if isinstance(body, str) else body)
        return self.session.post(f"{self.base}/v1/{service}/{method}", data=body, headers=sent, **options)

    async def json(self, method: str, body: Any = None, **options: Any) -> tuple[int, Any]:
        """(status, the answer's JSON)."""
        async with self.post(method, body, **options) as answer:
            return answer.status, await answer.json()

    def lines(self, method: str, lines: Any, **options: Any) -> Any:
        """Calls a method with a stream of lines."""
        return self.post(method, lines, content_type="application/x-ndjson", **options)


async def events(answer: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, str, str]]:
    """(event, id, data) of a stream of events; comments as events of the name ":"."""
    event, number, data = "message", "", ""
    async for raw in answer.content:
        line = raw.decode().rstrip("\n")
        name, _, value = line.partition(": ")
        if name == "event":
            event = value
        elif name == "id":
            number = value
        elif name == "data":
            data = value
        elif name == ":":
            event = ":"
        else:
            assert line == ""
            yield event, number, data
            event, number, data = "message", "", ""


def settings_for(target: str, keys_file: Path, **changes: Any) -> GatewaySettings:
    server = {"listen": f"{HOST}:0", "drain_grace_s": 0, **changes.pop("server", {})}
    http = {"listen": f"{HOST}:{free_ports(1)[0]}", "heartbeat_s": 0.3, **changes.pop("http", {})}
    files = {"keys_file": keys_file, "policy_file": policy_beside(keys_file)}
    return GatewaySettings.model_validate(
        {"routes": {SERVICE: target}, **files, "server": server, "http": http, **changes}
    )


@asynccontextmanager
async def through(settings: GatewaySettings, key: str, *, reached: bool = True) -> AsyncIterator[Http]:
    """A client of a gateway that runs and, unless told otherwise, has reached its backend."""
    async with gateway(settings) as server:
        await server.start()
        try:
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
                http = Http(session, f"http://{settings.http.listen}", key, server)
                if reached:
                    await _reached(http)
                yield http
        finally:
            await server.drain()


async def _reached(http: Http) -> None:
    async with asyncio.timeout(20):
        while (await http.json("Nothing"))[0] == 503:  # noqa: ASYNC110  # as clients do
            await asyncio.sleep(0.05)


@pytest.fixture
def time_to_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that fails may take its time on a busy machine and is still answered with its error's status."""
    monkeypatch.setattr("gateway.http.methods._COMMITTED_S", 20.0)


@pytest.fixture
def kinds() -> Kinds:
    return Kinds()


@pytest.fixture
async def http(kinds: Kinds, key_file: tuple[Path, str]) -> AsyncIterator[Http]:
    async with (
        serving(kinds) as port,
        through(settings_for(f"{HOST}:{port}", key_file[0]), key_file[1]) as client,
    ):
        yield client
