"""Slow and vanishing clients, large bodies: what the HTTP port holds stays bounded, and what it began it ends."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from prometheus_client import REGISTRY

from tests.gateway.http.conftest import Http, events
from tests.gateway.http.kinds import SERVICE, Kinds

MiB = 1024 * 1024
LIMIT = 4 * MiB
PIECE = 64 * 1024
# Windows of two HTTP/2 connections, which grow with use, and what sockets hold.
HELD = 48 * MiB
FLOOD = 2000


async def settled(count: Callable[[], int]) -> None:
    """Waits until a counter has begun to move and stands still again."""
    before = 0
    while not count() or before != count():
        before = count()
        await asyncio.sleep(0.5)


def in_flight(method: str) -> float:
    """Calls of a method that the gateway relays."""
    labels = {"grpc_service": SERVICE, "grpc_method": method, "grpc_type": "bidi_stream"}
    return REGISTRY.get_sample_value("grpc_server_in_flight", labels) or 0.0


async def connected(http: Http, method: str, body: bytes, *more: str) -> tuple[asyncio.StreamReader, Any]:
    """Sends a request by hand and leaves the connection open."""
    reader, writer = await asyncio.open_connection("127.0.0.1", http.port)
    headers = [f"POST /v1/{SERVICE}/{method} HTTP/1.1", "host: x", f"x-api-key: {http.key}", *more]
    writer.write("\r\n".join(headers).encode() + b"\r\n\r\n" + body)
    await writer.drain()
    return reader, writer


async def test_a_client_that_goes_ends_its_call(http: Http, kinds: Kinds) -> None:
    _, writer = await connected(http, "Hang", b"{}", "content-type: application/json", "content-length: 2")
    await kinds.saw("begun")
    writer.close()
    await kinds.saw("cancelled")


async def test_a_client_that_goes_ends_its_stream(http: Http, kinds: Kinds) -> None:
    body = b'{"int32Value": 1, "stringValue": "wait"}'
    reader, writer = await connected(
        http, "Repeat", body, "content-type: application/json", f"content-length: {len(body)}"
    )
    async with asyncio.timeout(20):
        await reader.readuntil(b"data: ")
    writer.close()
    await kinds.saw("cancelled")


async def test_a_client_that_goes_in_the_midst_of_its_stream_has_not_ended_it(http: Http, kinds: Kinds) -> None:
    line = b'{"stringValue": "a"}\n'
    body = f"{len(line):x}\r\n".encode() + line + b"\r\n"
    _, writer = await connected(
        http, "Gather", body, "content-type: application/x-ndjson", "transfer-encoding: chunked"
    )
    await kinds.saw("begun")
    writer.close()
    await kinds.saw("cancelled")
    assert "half-closed" not in kinds.events


@pytest.mark.slow
async def test_a_client_that_never_reads_stops_the_backend(http: Http, kinds: Kinds) -> None:
    body = json.dumps({"int32Value": FLOOD, "stringValue": "x" * PIECE}).encode()
    _, writer = await connected(http, "Repeat", body, "content-type: application/json", f"content-length: {len(body)}")
    await settled(lambda: kinds.repeated)
    assert 0 < kinds.repeated * PIECE < HELD
    # Others are answered meanwhile.
    assert await http.json("Mirror", '{"int32Value": 1}') == (200, {"int32Value": 1})
    assert in_flight("Repeat") == 1
    writer.close()
    async with asyncio.timeout(20):
        while in_flight("Repeat"):  # noqa: ASYNC110  # a gauge sets no event
            await asyncio.sleep(0.05)


@pytest.mark.slow
async def test_a_slow_reader_gets_everything(http: Http, kinds: Kinds) -> None:
    body = json.dumps({"int32Value": 200, "stringValue": "x" * PIECE})
    count = 0
    async with http.post("Repeat", body, read_bufsize=2**20) as answer:
        async for name, _, _ in events(answer):
            count += name == "message"
            if count % 50 == 0:
                await asyncio.sleep(0.1)
    assert count == 200


@pytest.mark.slow
async def test_a_backend_that_never_reads_stops_the_client(http: Http, kinds: Kinds) -> None:
    sent = 0
    line = json.dumps({"stringValue": "x" * PIECE}).encode() + b"\n"

    async def lines() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b'{"stringValue": "wait"}\n'
        while sent < FLOOD:
            yield line
            sent += 1

    call = asyncio.ensure_future(http.json("Gather", lines(), content_type="application/x-ndjson"))
    await settled(lambda: sent)
    assert 0 < sent * PIECE < HELD
    kinds.may_go_on.set()
    status, answer = await call
    assert (status, answer["int32Value"]) == (200, FLOOD + 1)


async def test_a_message_may_be_as_large_as_the_gateway_lets_through(http: Http) -> None:
    data = base64.b64encode(bytes(LIMIT - 100)).decode()
    status, answer = await http.json("Mirror", json.dumps({"bytesValue": data}))
    assert status == 200
    assert answer["bytesValue"] == data


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [LIMIT, 2 * LIMIT])
async def test_a_message_that_is_too_large(http: Http, size: int, *, chunked: bool) -> None:
    body = json.dumps({"stringValue": "x" * size}).encode()

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), PIECE):
            yield body[start : start + PIECE]

    status, answer = await http.json("Mirror", pieces() if chunked else body)
    assert status == 413
    assert answer["error"]["status"] == "RESOURCE_EXHAUSTED"
    assert answer["error"]["details"][0]["reason"] == "BODY_TOO_LARGE"


async def test_a_line_that_is_too_long(http: Http) -> None:
    body = b"{}\n" + b"x" * (2 * LIMIT + 1)
    status, answer = await http.json("Gather", body, content_type="application/x-ndjson")
    assert status == 413
    assert "line 2" in answer["error"]["message"]


@pytest.mark.slow
async def test_a_stream_may_be_longer_than_any_message(http: Http) -> None:
    line = json.dumps({"stringValue": "x" * PIECE}).encode() + b"\n"

    async def lines() -> AsyncIterator[bytes]:
        for _ in range(400):
            yield line

    status, answer = await http.json("Gather", lines(), content_type="application/x-ndjson")
    assert (status, answer["int32Value"]) == (200, 400)


@pytest.mark.slow
async def test_a_large_message_does_not_hold_up_others(http: Http) -> None:
    large = asyncio.ensure_future(http.json("Mirror", json.dumps({"numbers": [1] * 500_000})))
    answered = 0
    while not large.done():
        assert (await http.json("Mirror", "{}"))[0] == 200
        answered += 1
    assert (await large)[0] == 200
    assert answered > 3
