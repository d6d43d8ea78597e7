"""Calls of every kind by JSON."""

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.gateway.http.conftest import Http, events
from tests.gateway.http.kinds import Kinds


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


async def test_the_answer_of_a_service_that_talks_on_is_told_at_once(http: Http, kinds: Kinds) -> None:
    async with asyncio.timeout(20), http.post("Repeat", '{"int32Value": 1, "stringValue": "wait"}') as answer:
        told = events(answer)
        assert (await anext(told))[0] == "message"
        assert await anext(told) == (":", "", "")  # in the silence
        kinds.may_go_on.set()
        assert [name async for name, _, _ in told if name != ":"] == ["end"]


async def test_a_silent_stream_is_answered_before_its_first_message(http: Http, kinds: Kinds) -> None:
    async with asyncio.timeout(20), http.post("Repeat", '{"stringValue": "wait"}') as answer:
        assert answer.status == 200
        told = events(answer)
        assert await anext(told) == (":", "", "")
        kinds.may_go_on.set()
        assert [name async for name, _, _ in told if name != ":"] == ["end"]


async def test_a_client_stream_is_answered_at_its_end_only(http: Http, kinds: Kinds) -> None:
    may_end = asyncio.Event()

    async def lines() -> AsyncIterator[bytes]:
        yield b'{"stringValue": "a"}\n'
        await may_end.wait()

    async with asyncio.timeout(20):
        call = asyncio.ensure_future(http.json("Gather", lines(), content_type="application/x-ndjson"))
        await kinds.saw("begun")
        assert not call.done()
        may_end.set()
        assert await call == (200, {"int32Value": 1, "stringValue": "a"})


async def test_an_empty_stream(http: Http) -> None:
    assert await http.json("Gather", b"", content_type="application/x-ndjson") == (200, {})
    async with http.lines("Chat", b"") as answer:
        assert [event async for event in events(answer)] == [("end", "", "{}")]


async def test_calls_share_a_connection(http: Http) -> None:
    made = 0

    async def count(*_: object) -> None:
        nonlocal made
        made += 1

    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(count)
    async with aiohttp.ClientSession(trace_configs=[trace]) as session:
        one = Http(session, http.base, http.key, http.server)
        for number in range(1, 20):
            body = {"int32Value": number}
            assert await one.json("Mirror", json.dumps(body)) == (200, body)
            assert (await one.json("Mirror", "{"))[0] == 400
            assert (await one.json("None"))[0] == 404
            async with one.post("Repeat", '{"int32Value": 3}') as answer:
                assert len([event async for event in events(answer)]) == 4
    assert made == 1


async def test_many_calls_at_once_do_not_mix(http: Http) -> None:
    async def mirrored(number: int) -> None:
        assert await http.json("Mirror", json.dumps({"int32Value": number})) == (200, {"int32Value": number})

    async def chatted(number: int) -> None:
        lines = b"".join(b'{"int32Value": %d}\n' % (number + turn) for turn in range(5))
        async with http.lines("Chat", lines) as answer:
            told = [json.loads(data).get("int32Value") async for name, _, data in events(answer) if name == "message"]
        assert told == list(range(number, number + 5))

    await asyncio.gather(*(mirrored(number) for number in range(1, 50)), *(chatted(100 * n) for n in range(1, 30)))
