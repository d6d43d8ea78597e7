"""What clients are told of errors, and the headers of every answer."""

import asyncio
import json
from typing import Any

import grpc
import pytest

from gateway.http.errors import HTTP_STATUS
from tests.gateway.http.conftest import Http, events
from tests.gateway.http.kinds import SERVICE, Kinds

pytestmark = pytest.mark.usefixtures("time_to_fail")


def reason(answer: Any) -> str:
    told: str = answer["error"]["details"][0]["reason"]
    return told


@pytest.mark.parametrize("code", [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK])
async def test_a_status_of_a_service(http: Http, code: grpc.StatusCode) -> None:
    body = json.dumps({"int32Value": code.value[0], "stringValue": "余额不足"})
    async with http.post("Fail", body, headers={"x-request-id": "mine-1"}) as answer:
        assert answer.status == HTTP_STATUS[code]
        assert answer.headers["Retry-After"] == "2"
        assert answer.headers["x-why"] == "because"
        assert answer.headers["x-request-id"] == "mine-1"
        assert await answer.json() == {
            "error": {
                "code": HTTP_STATUS[code],
                "status": code.name,
                "message": "余额不足",
                "details": [
                    {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "TOY", "domain": "toy"},
                    {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1.500s"},
                    {"@type": "type.googleapis.com/toy.v1.Sample", "stringValue": "mine"},
                    {"@type": "type.googleapis.com/no.Such", "value": "CAE="},
                ],
            }
        }


async def test_a_stream_that_fails_at_once_is_answered_with_its_status(http: Http) -> None:
    async with http.post("Break", "{}") as answer:
        assert answer.status == 500
        assert answer.headers["x-why"] == "because"
        assert (await answer.json())["error"]["status"] == "DATA_LOSS"


async def test_a_stream_that_fails_later_ends_with_an_error(http: Http) -> None:
    async with http.post("Break", '{"int32Value": 2}') as answer:
        assert answer.status == 200
        told = [event async for event in events(answer)]
    assert [name for name, _, _ in told] == ["message", "message", "error"]
    assert json.loads(told[-1][2])["error"]["message"] == "broken"


async def test_a_service_that_ends_the_call_while_the_client_talks(http: Http) -> None:
    async def lines() -> Any:
        yield b"{}\n"
        yield b'{"stringValue": "stop"}\n'
        for _ in range(1000):
            yield b"{}\n"
            await asyncio.sleep(0.001)

    async with http.lines("Chat", lines()) as answer:
        told = [event async for event in events(answer)]
    assert [name for name, _, _ in told if name != ":"] == ["message", "error"]
    assert json.loads(told[-1][2])["error"]["status"] == "FAILED_PRECONDITION"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"int32Value": }', "this is not valid JSON: Expecting value at line 1, column 16"),
        (b'{"stringValue": "\xff"}', "this is not valid JSON: no UTF-8 at byte 17"),
        (b'{"a": 1, "a": 2}', 'this is not valid JSON: "a" is there twice in an object'),
        (b'{"doubleValue": NaN}', 'this is not valid JSON: NaN must be quoted: "NaN"'),
        (b'{"int32Value": ' + b"9" * 5000 + b"}", "this is not valid JSON: a number is too long"),
        (b'{"list": ' + b"[" * 100_000, "this is not valid JSON: it is nested too deeply"),
        (b'{"nonsense": 1}', 'toy.v1.Sample has no field "nonsense"'),
        (b'{"inner": {"inner": {"no sense": 1}}}', 'toy.v1.Sample has no field "inner.inner.no sense"'),
        (b'{"inners": [{}, {"name": 5}]}', "inners.name of toy.v1.Sample does not fit the type of the field"),
        (b'{"int32Value": "ICBC 6222"}', "int32Value of toy.v1.Sample does not fit the type of the field"),
        (b'{"int32Value": 99999999999}', "int32Value of toy.v1.Sample does not fit the type of the field"),
        (b'{"colour": "COLOUR_BLUE"}', "colour of toy.v1.Sample does not fit the type of the field"),
        (b'{"textChoice": "a", "innerChoice": {}}', 'of the fields of "choice" in toy.v1.Sample only one can be set'),
        (b'{"any": {"@type": "no.Such"}}', "any of toy.v1.Sample does not fit the type of the field"),
        (b'{"any": {"@type": "type.googleapis.com/google.protobuf.Duration"}}', "the JSON does not fit toy.v1.Sample"),
        (b"[]", "a toy.v1.Sample is a JSON object"),
        (b'{"list": ' + b"[" * 500 + b"]" * 500 + b"}", "the JSON does not fit toy.v1.Sample"),
    ],
)  # fmt: skip
async def test_json_that_is_wrong(http: Http, body: bytes, message: str) -> None:
    status, answer = await http.json("Mirror", body)
    assert status == 400
    assert answer["error"]["status"] == "INVALID_ARGUMENT"
    assert answer["error"]["message"] == message
    assert reason(answer) in {"JSON_MALFORMED", "JSON_INVALID"}


async def test_a_wrong_line_is_told_by_its_number(http: Http) -> None:
    body = b'{"stringValue": "a"}\n\n{"b": 1}\n'
    status, answer = await http.json("Gather", body, content_type="application/x-ndjson")
    assert status == 400
    assert answer["error"]["message"] == 'line 3: toy.v1.Sample has no field "b"'
    violation = answer["error"]["details"][-1]["fieldViolations"][0]
    assert violation == {"field": "b", "description": "no such field", "reason": "JSON_INVALID"}


@pytest.mark.parametrize(
    ("method", "content_type", "status"),
    [
        ("Mirror", "application/json", 200),
        ("Mirror", "application/json; charset=UTF-8", 200),
        ("Mirror", "application/json; charset=gbk", 415),
        ("Mirror", "text/plain", 415),
        ("Mirror", "application/x-www-form-urlencoded", 415),
        ("Mirror", "application/x-ndjson", 415),
        ("Gather", "application/json", 415),
        ("Gather", "application/x-ndjson", 200),
    ],
)
async def test_content_types(http: Http, method: str, content_type: str, status: int) -> None:
    async with http.post(method, b"{}", content_type=content_type) as answer:
        assert answer.status == status
        told = await answer.json()
    assert status == 200 or reason(told) == "CONTENT_TYPE_UNSUPPORTED"


@pytest.mark.parametrize(("headers", "status"), [({}, 200), ({"origin": "https://elsewhere.example"}, 415)])
async def test_an_empty_body_without_a_type_is_not_for_browsers(
    http: Http, headers: dict[str, str], status: int
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", http.port)
    sent = {"host": "x", "x-api-key": http.key, "content-length": "0", "connection": "close", **headers}
    lines = [f"POST /v1/{SERVICE}/Mirror HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n")
    assert int((await reader.read()).split()[1]) == status
    writer.close()


async def test_an_answer_that_cannot_be_told(http: Http) -> None:
    status, answer = await http.json("Mirror", '{"stringValue": "unknown"}')
    assert (status, answer["error"]["status"], reason(answer)) == (500, "INTERNAL", "ANSWER_NOT_JSON")
    async with http.post("Repeat", '{"stringValue": "unknown", "int32Value": 2}') as stream:
        assert stream.status == 200
        told = [event async for event in events(stream)]
    assert [name for name, _, _ in told] == ["message", "error"]
    assert reason(json.loads(told[-1][2])) == "ANSWER_NOT_JSON"


async def test_a_compressed_body_is_refused(http: Http) -> None:
    status, answer = await http.json("Mirror", b"x", headers={"content-encoding": "gzip"})
    assert (status, reason(answer)) == (415, "CONTENT_TYPE_UNSUPPORTED")


@pytest.mark.parametrize(
    "path",
    [
        f"/v1/{SERVICE}/None",
        "/v1/no.such.Service/Mirror",
        "/v1/grpc.health.v1.Health/Check",
        "/v1/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        f"/{SERVICE}/Mirror",
        f"/v1/{SERVICE}/Mirror/",
        "/",
    ],
)
async def test_what_is_not_there(http: Http, path: str) -> None:
    async with http.session.post(f"{http.base}{path}", headers={"x-api-key": http.key}) as answer:
        assert answer.status == 404
        assert reason(await answer.json()) == "METHOD_NOT_FOUND"


@pytest.mark.parametrize(
    ("verb", "path", "allowed"),
    [
        ("GET", f"/v1/{SERVICE}/Mirror", "POST"),
        ("DELETE", f"/v1/{SERVICE}/Mirror", "POST"),
        ("POST", "/healthz", "GET,HEAD"),
    ],
)
async def test_a_wrong_verb(http: Http, verb: str, path: str, allowed: str) -> None:
    async with http.session.request(verb, f"{http.base}{path}") as answer:
        assert answer.status == 405
        assert answer.headers["Allow"] == allowed
        assert reason(await answer.json()) == "HTTP_METHOD_NOT_ALLOWED"


@pytest.mark.parametrize("method", ["Mirror", "Repeat", "Gather", "Chat"])
async def test_without_a_key(http: Http, method: str) -> None:
    content_type = "application/x-ndjson" if method in {"Gather", "Chat"} else "application/json"
    headers = {"authorization": "Bearer nonsense"}
    status, answer = await http.json(method, b"{}", headers=headers, content_type=content_type)
    assert (status, answer["error"]["status"], reason(answer)) == (401, "UNAUTHENTICATED", "API_KEY_UNKNOWN")


async def test_every_answer_has_the_headers(http: Http) -> None:
    for method in ("Mirror", "Repeat", "None"):
        async with http.post(method, "{}") as answer:
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Server"] == "bankai"
            assert len(answer.headers["x-request-id"]) == 32
            assert "Strict-Transport-Security" not in answer.headers  # which needs TLS
            assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


async def test_an_expectation_that_cannot_be_met(http: Http) -> None:
    async with http.post("Mirror", "{}", headers={"expect": "wonders"}) as answer:
        assert answer.status == 417
        assert len(answer.headers["x-request-id"]) == 32


async def test_trailers_become_headers(http: Http) -> None:
    async with http.post("Mirror", "{}") as answer:
        assert answer.headers["x-late"] == "2"
        assert answer.headers["x-late-bin"] == "/wA="
        assert "other" not in answer.headers


async def test_which_headers_pass(http: Http) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    passed = {"x-request-id": "mine-17", "traceparent": trace, "x-release-key": "r-1"}
    stopped = {
        "x-bankai-channel": "core",
        "x-bankai-else": "1",
        "grpc-timeout": "1n",
        "grpc-tags-bin": "AA",
        "cookie": "c",
    }
    status, told = await http.json("Headers", headers={**passed, **stopped, "x-other": "1", "x-timeout-ms": "30000"})
    assert status == 200
    assert 20 < told.pop("time left") < 31
    assert told.pop("user-agent").startswith("grpc-python-asyncio")
    assert told == {**passed, "x-bankai-channel": "ivr"}
    status, refused = await http.json(
        "Mirror", headers={"idempotency-key": "i-1"}
    )  # by a gateway that keeps no answers
    assert (status, reason(refused)) == (501, "IDEMPOTENCY_OFF")


@pytest.mark.parametrize(
    ("name", "value"),
    [("x-timeout-ms", "soon"), ("x-timeout-ms", "0"), ("x-timeout-ms", "-1"), ("idempotency-key", "键")],
)
async def test_a_wrong_header(http: Http, name: str, value: str) -> None:
    status, answer = await http.json("Mirror", headers={name: value})
    assert (status, reason(answer)) == (400, "HEADER_INVALID")
    assert name in answer["error"]["message"]


async def test_the_deadline_ends_the_call(http: Http, kinds: Kinds) -> None:
    status, answer = await http.json("Hang", headers={"x-timeout-ms": "1000"})
    assert (status, answer["error"]["status"]) == (504, "DEADLINE_EXCEEDED")
    await kinds.saw("cancelled")


async def test_health(http: Http) -> None:
    for path, told in (("healthz", "ALIVE"), ("readyz", "SERVING")):
        async with http.session.get(f"{http.base}/{path}") as answer:
            assert (answer.status, await answer.json()) == (200, {"status": told})
