"""How the HTTP port comes and goes with the gateway."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from bankai.loopback import HOST
from gateway.app import gateway
from gateway.settings import GatewaySettings
from tests.gateway.http.conftest import Http, events, settings_for, through
from tests.gateway.http.kinds import Kinds, serving


@asynccontextmanager
async def patient(kinds: Kinds, key_file: tuple[Path, str], grace_s: float) -> AsyncIterator[Http]:
    async with serving(kinds) as port:
        settings = settings_for(f"{HOST}:{port}", key_file[0], server={"drain_grace_s": grace_s})
        async with through(settings, key_file[1]) as http:
            yield http


@pytest.mark.slow
async def test_calls_in_flight_are_answered(kinds: Kinds, key_file: tuple[Path, str]) -> None:
    async with asyncio.timeout(60), patient(kinds, key_file, 30) as http:
        wait = b'{"stringValue": "wait", "int32Value": 1}'
        gathering = asyncio.ensure_future(http.json("Gather", wait, content_type="application/x-ndjson"))
        async with http.post("Repeat", wait) as answer:
            told = events(answer)
            assert (await anext(told))[0] == "message"
            await kinds.saw("begun")
            drain = asyncio.create_task(http.server.drain())
            await http.server.draining.wait()
            await asyncio.sleep(0.1)
            async with aiohttp.ClientSession() as other:
                with pytest.raises(aiohttp.ClientConnectorError):
                    await other.get(f"{http.base}/healthz")
            assert not drain.done()
            kinds.may_go_on.set()
            assert [name async for name, _, _ in told if name != ":"] == ["end"]
        assert (await gathering)[0] == 200
        await drain


@pytest.mark.slow
async def test_streams_that_go_on_are_told_to_go_elsewhere(kinds: Kinds, key_file: tuple[Path, str]) -> None:
    async with asyncio.timeout(60), patient(kinds, key_file, 1.5) as http:
        async with http.post("Repeat", '{"stringValue": "wait", "int32Value": 1}') as answer:
            told = events(answer)
            assert (await anext(told))[0] == "message"
            drain = asyncio.create_task(http.server.drain())
            name, _, data = [event async for event in told if event[0] != ":"][-1]
        assert name == "error"
        assert json.loads(data)["error"]["details"][0]["reason"] == "SERVER_DRAINING"
        await drain


async def test_idle_connections_are_closed(kinds: Kinds, key_file: tuple[Path, str]) -> None:
    async with asyncio.timeout(60), patient(kinds, key_file, 5) as http:
        reader, writer = await asyncio.open_connection(HOST, http.port)
        writer.write(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        assert b"200 OK" in await reader.readuntil(b"}")
        drain = asyncio.create_task(http.server.drain())
        assert await reader.read() == b""
        writer.close()
        await drain


async def test_it_is_off_by_default(kinds: Kinds, key_file: tuple[Path, str]) -> None:
    off = settings_for("x:1", key_file[0]).model_dump(exclude={"http"})
    assert GatewaySettings.model_validate(off).http.listen == ""


async def test_an_address_that_is_taken_stops_the_start(key_file: tuple[Path, str]) -> None:
    taken = await asyncio.start_server(lambda _reader, _writer: None, HOST, 0)
    address = f"{HOST}:{taken.sockets[0].getsockname()[1]}"
    settings = settings_for("x:1", key_file[0], http={"listen": address})
    with pytest.raises(OSError, match="in use"):
        async with gateway(settings):
            pass
    taken.close()


async def test_a_request_before_the_start_waits_for_it(kinds: Kinds, key_file: tuple[Path, str]) -> None:
    async with asyncio.timeout(30), serving(kinds) as port:
        settings = settings_for(f"{HOST}:{port}", key_file[0])
        async with gateway(settings) as server, aiohttp.ClientSession() as session:
            http = Http(session, f"http://{settings.http.listen}", key_file[1], server)
            call = asyncio.ensure_future(http.json("Mirror", '{"int32Value": 1}'))
            await asyncio.sleep(0.1)
            assert not call.done()
            await server.start()
            assert (await call)[0] == 200
            await server.drain()


def held() -> dict[str, int]:
    """How many files and threads this process holds."""
    return {kind: len(list(Path(f"/proc/self/{kind}").iterdir())) for kind in ("fd", "task")}


@pytest.mark.slow
async def test_nothing_is_left_behind(
    key_file: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "t"))
    (tmp_path / "t").mkdir()

    async def once() -> None:
        async with patient(Kinds(), key_file, 0) as http:
            large = json.dumps({"numbers": [1] * 50_000})
            await asyncio.gather(*(http.json("Mirror", large) for _ in range(5)))
            await http.json("Mirror", "{")
            async with http.post("Repeat", '{"stringValue": "wait", "int32Value": 1}') as answer:
                assert (await anext(events(answer)))[0] == "message"
                answer.close()

    await once()
    gc.collect()
    before = held()
    for _ in range(3):
        await once()
    gc.collect()
    async with asyncio.timeout(20):
        while any(now > before[kind] + 2 for kind, now in held().items()):  # noqa: ASYNC110  # files tell nobody
            await asyncio.sleep(0.1)
    assert list((tmp_path / "t").iterdir()) == []
