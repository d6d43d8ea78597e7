"""Whatever comes in, the port answers or hangs up, never with our fault, and goes on."""

import asyncio
import contextlib
import json
import random
from collections.abc import Awaitable
from typing import Any, TypeVar

import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st

from bankai.errors import InvalidRequestError
from gateway.http.transcoding import to_bytes, to_json
from tests.gateway.http.conftest import Http
from tests.gateway.http.kinds import SERVICE, pool, sample

Result = TypeVar("Result")

NAMES = [name for field in sample().DESCRIPTOR.fields for name in (field.name, field.json_name)]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(
        ["NaN", "-Infinity", "1e9", "AP8=", "COLOUR_RED", "1s", "2026-01-01T00:00:00Z", "a.b,cC", "\ud800"]
    )
)
TYPES = st.sampled_from(
    ["toy.v1.Sample", "google.protobuf.Any", "google.protobuf.Value", "x.googleapis.com/toy.v1.Sample"]
)
KEYS = st.sampled_from([*NAMES, "@type", "value", "name", "1", "true"]) | st.text(max_size=5)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(KEYS, inner, max_size=4)
        | st.builds(lambda kind, value: {"@type": kind, "value": value}, TYPES, inner)
    ),
    max_leaves=20,
)
OBJECTS = st.dictionaries(KEYS, JSON, max_size=6)


@pytest.mark.slow
@settings(max_examples=300)
@given(OBJECTS)
def test_json_is_read_as_protobuf_reads_it_or_refused(value: Any) -> None:
    text = json.dumps(value)
    expected = sample()()
    try:
        json_format.Parse(text, expected, descriptor_pool=pool())
    except (json_format.ParseError, ValueError):
        with pytest.raises(InvalidRequestError):
            to_bytes(sample(), pool(), text.encode())
        return
    raw = to_bytes(sample(), pool(), text.encode())
    assert raw == expected.SerializeToString(deterministic=True)
    told = to_json(sample(), pool(), raw)
    assert json.loads(told) == json.loads(json_format.MessageToJson(expected, descriptor_pool=pool()))
    assert "\n" not in told


FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "int32Value": st.integers(-(2**31), 2**31 - 1),
        "int64Value": st.integers(-(2**63), 2**63 - 1).map(str),
        "uint64_value": st.integers(0, 2**64 - 1),
        "doubleValue": st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(["NaN", "Infinity"]),
        "stringValue": st.text(st.characters(exclude_categories=["Cs"])),
        "colour": st.sampled_from(["COLOUR_RED", 2, "COLOUR_GREEN"]),
        "inner": st.just({"inner": {"name": "x"}}),
        "numbers": st.lists(st.integers(-(2**63), 2**63 - 1)),
        "byNumber": st.dictionaries(st.integers(-(2**63), 2**63 - 1).map(str), st.text("ab")),
        "at": st.just("2026-03-01T09:30:00.000001Z"),
        "lasts": st.just("-1.5s"),
        "struct": st.dictionaries(st.text("ab"), st.booleans() | st.none() | st.lists(st.just("x"))),
        "any": st.just({"@type": "type.googleapis.com/toy.v1.Sample", "boolValue": True}),
        "wrapped": st.just("5"),
    },
)


@pytest.mark.slow
@settings(max_examples=300)
@given(FIELDS)
def test_json_to_a_message_and_back(value: Any) -> None:
    raw = to_bytes(sample(), pool(), json.dumps(value).encode())
    again = to_bytes(sample(), pool(), to_json(sample(), pool(), raw).encode())
    assert sample().FromString(again) == sample().FromString(raw) or "NaN" in json.dumps(value)
    message = sample().FromString(raw)
    assert json.loads(to_json(sample(), pool(), raw)) == json_format.MessageToDict(message, descriptor_pool=pool())


@given(st.binary() | st.text().map(str.encode))
def test_bytes_that_are_no_json(text: bytes) -> None:
    with contextlib.suppress(InvalidRequestError):
        to_bytes(sample(), pool(), text)


async def outside(property_: Any, http: Http) -> None:
    """Runs a property in a thread; its `asked` waits for what it asks in this loop."""
    loop = asyncio.get_running_loop()

    def asked(question: Awaitable[Result]) -> Result:
        async def wait() -> Result:
            return await question

        return asyncio.run_coroutine_threadsafe(wait(), loop).result(60)

    await asyncio.to_thread(property_, http, asked)


@pytest.mark.slow
async def test_random_json_is_never_our_fault(http: Http) -> None:
    def property_(http: Http, asked: Any) -> None:
        @settings(max_examples=200)
        @given(st.sampled_from(["Mirror", "Nothing", "Headers"]), OBJECTS | JSON)
        def answered(method: str, value: Any) -> None:
            status, _ = asked(http.json(method, json.dumps(value)))
            assert status in {200, 400}

        answered()

    await outside(property_, http)


PIECES = (
    *(b"GET ", b"POST ", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", f"/v1/{SERVICE}/Mirror".encode(), b"/v1/%00/..", b"?a=b"),
    *(b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", b" HTTP/9.9\r\n", b"\r\n", b"\n", b"\r\n\r\n", b"\x00", b"\xff\xfe", b"*"),
    *(b"host: x\r\n", b"content-length: 2\r\n", b"content-length: -1\r\n", b"content-length: 9999999999\r\n"),
    *(
        b"transfer-encoding: chunked\r\n",
        b"content-type: application/json\r\n",
        b"content-type: application/x-ndjson\r\n",
    ),
    *(b"expect: 100-continue\r\n", b"connection: upgrade\r\nupgrade: websocket\r\n", b"content-encoding: gzip\r\n"),
    *(b"x-timeout-ms: 1\r\n", b"authorization: Bearer \xe4\xbd\xa0\r\n", b"cookie: a=b\r\n", b"x: " + b"y" * 70_000),
    *(
        b"{}",
        b'{"a":',
        b"2\r\n{}\r\n",
        b"0\r\n\r\n",
        b"zz\r\n",
        b"A" * 9000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ),
)


@pytest.mark.slow
async def test_raw_bytes_leave_the_port_answering(http: Http) -> None:
    chance = random.Random(7)

    async def send() -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", http.port)
        if chance.random() < 0.2:
            data = chance.randbytes(chance.randint(1, 300))
        else:
            data = b"".join(chance.choices(PIECES, k=chance.randint(1, 12)))
        try:
            writer.write(data)
            if chance.random() < 0.5:
                writer.write_eof()
            async with asyncio.timeout(0.05 if chance.random() < 0.9 else 0.3):
                return await reader.read()
        except (TimeoutError, ConnectionError):
            return b""
        finally:
            writer.close()

    for _ in range(125):
        for answer in await asyncio.gather(*(send() for _ in range(24))):
            assert b" 500 " not in answer[:20]
            assert b"Traceback" not in answer
    assert await http.json("Mirror", '{"int32Value": 1}') == (200, {"int32Value": 1})
