"""Calls of every kind by JSON."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from tests.gateway.http.conftest import Http, events


async def test_unary(http: Http) -> None:
    body = {"int64Value": "9007199254740993", "string_value": "余额", "bytesValue": "AP8=", "colour": "COLOUR_RED"}
    status, answer = await http.json("Mirror", json.dumps(body))
    assert status == 200
    assert answer == {
        "int64Value": "9007199254740993",
        "stringValue": "余额",
        "bytesValue": "AP8=",
        "colour": "COLOUR_RED",
    }


@pytest.mark.parametrize("body", [None, b"", b"{}", b" \n"])
async def test_an_empty_body_is_an_empty_message(http: Http, body: bytes | None) -> None:
    assert await http.json("Mirror", body) == (200, {})


async def test_server_stream(http: Http) -> None:
    async with http.post("Repeat", '{"int32Value": 3}') as answer:
        assert answer.status == 200
        assert answer.content_type == "text/event-stream"
        told = [event async for event in events(answer)]
    assert told[-1] == ("end", "", "{}")
    assert [(name, number, json.loads(data)) for name, number, data in told[:-1]] == [
        ("message", "1", {}),
        ("message", "2", {"int32Value": 1}),
        ("message", "3", {"int32Value": 2}),
    ]


async def test_client_stream(http: Http) -> None:
    lines = b'{"stringValue": "a"}\n\n{"stringValue": "b"}\r\n{"stringValue": "c"}'
    async with http.lines("Gather", lines) as answer:
        assert answer.status == 200
        assert await answer.json() == {"int32Value": 3, "stringValue": "abc"}


async def test_bidi_answers_while_the_client_talks(http: Http) -> None:
    answered: asyncio.Queue[str] = asyncio.Queue()

    async def lines() -> AsyncIterator[bytes]:
        yield b'{"stringValue": "one"}\n'
        assert await answered.get() == "one"
        yield b'{"stringValue": "two"}\n'
        assert await answered.get() == "two"

    async with asyncio.timeout(20), http.lines("Chat", lines()) as answer:
        names = []
        async for name, _, data in events(answer):
            names.append(name)
            if name == "message":
                answered.put_nowait(json.loads(data)["stringValue"])
    assert [name for name in names if name != ":"] == ["message", "message", "end"]
