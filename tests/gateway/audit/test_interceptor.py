"""What is recorded of the calls that go through the gateway."""

import asyncio
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from gateway.audit.settings import AuditSettings
from gateway.idempotency.settings import IdempotencySettings
from tests.gateway.audit.conftest import gateway_with, records
from tests.gateway.conftest import Client, as_is, unary_calls
from tests.gateway.toy import SERVICE, Toy

TRACE = "0af7651916cd43dd8448eb211c80319c"


def framed(*messages: bytes) -> str:
    return sha256(b"".join(len(each).to_bytes(8, "big") + each for each in messages)).hexdigest()


async def ended(settings: AuditSettings) -> dict[str, Any]:
    """The one record of an end, which a cancelled call writes a moment later."""
    async with asyncio.timeout(5):
        while not (found := records(settings.folder)):  # noqa: ASYNC110  # a file tells nobody
            await asyncio.sleep(0.01)
    assert len(found) == 1
    return found[0]


async def test_a_call_that_is_answered(audited: Client, settings: AuditSettings) -> None:
    metadata = (("x-request-id", "abc"), ("traceparent", f"00-{TRACE}-b7ad6b7169203331-01"))
    await audited.unary("Echo", b"hello", metadata=metadata)
    record = await ended(settings)
    assert record["method"] == f"/{SERVICE}/Echo"
    assert record["channel"] == "ivr"
    assert record["credential"].startswith("key ")
    assert record["peer"].startswith("ipv4:127.0.0.1:")
    assert (record["request_id"], record["trace_id"]) == ("abc", TRACE)
    assert (record["decision"], record["code"], record["reason"]) == ("allowed", "OK", "")
    assert (record["requests"], record["answers"]) == (1, 1)
    assert record["request_sha256"] == record["answer_sha256"] == framed(b"hello")
    assert 0 < record["duration_us"] < 20_000_000
    opened = records(settings.folder, "opened")
    assert [each["sequence"] for each in opened] == [record["opened"]]
    assert opened[0]["channel"] == "ivr"


async def test_a_unary_call(toy: Toy, key_file: tuple[Path, str], settings: AuditSettings) -> None:
    async with gateway_with(settings, toy, key_file, with_reflection=True) as client:
        before = unary_calls()
        async with asyncio.timeout(20):
            while unary_calls() == before:
                await client.unary("Echo", b"hello")
    record = records(settings.folder)[-1]
    assert (record["kind"], record["opened"]) == ("unary", 0)
    assert record["request_sha256"] == record["answer_sha256"] == sha256(b"hello").hexdigest()


async def test_nothing_of_the_content_and_no_secret(audited: Client, settings: AuditSettings) -> None:
    await audited.unary("Echo", b"my card number", metadata=(("x-note", "my account"),))
    await ended(settings)
    written = b"".join(file.read_bytes() for file in settings.folder.iterdir())
    for secret in (b"my card number", b"my account", audited.key[0][1].rpartition("_")[2].encode()):
        assert secret not in written


async def test_streams(audited: Client, settings: AuditSettings) -> None:
    assert await audited.client_stream("Collect", iter((b"a", b"bc"))) == b"a+bc"
    record = await ended(settings)
    assert (record["requests"], record["answers"]) == (2, 1)
    assert (record["request_sha256"], record["answer_sha256"]) == (framed(b"a", b"bc"), framed(b"a+bc"))


async def test_a_stream_is_on_record_while_it_is_open(audited: Client, settings: AuditSettings) -> None:
    call = audited.bidi("Chat")
    await call.write(b"one")
    await call.read()
    (opened,) = records(settings.folder, "opened")
    assert (opened["method"], opened["channel"]) == (f"/{SERVICE}/Chat", "ivr")
    assert not records(settings.folder)
    call.cancel()
    record = await ended(settings)
    assert (record["code"], record["decision"]) == ("CANCELLED", "allowed")
    assert (record["requests"], record["answers"], record["opened"]) == (1, 1, opened["sequence"])


async def test_who_is_not_let_in(audited: Client, settings: AuditSettings) -> None:
    call = audited.channel.unary_unary(f"/{SERVICE}/Echo", as_is, as_is)(b"")
    assert await call.code() is grpc.StatusCode.UNAUTHENTICATED
    record = await ended(settings)
    assert (record["channel"], record["credential"]) == ("", "")
    assert (record["decision"], record["code"]) == ("refused", "UNAUTHENTICATED")
    assert record["reason"] == "CREDENTIAL_REQUIRED"
    assert not records(settings.folder, "opened")


async def test_an_error_of_the_backend_is_on_record_before_it_is_told(audited: Client, settings: AuditSettings) -> None:
    wanted = {"code": "NOT_FOUND", "message": "none", "trailers": True}
    call = audited.unary("Fail", json.dumps(wanted).encode())
    assert await call.code() is grpc.StatusCode.NOT_FOUND
    (record,) = records(settings.folder)  # at once
    assert (record["code"], record["decision"], record["answers"]) == ("NOT_FOUND", "allowed", 0)
    assert record["answer_sha256"] == ""


async def test_a_call_beyond_the_server_s_limit(toy: Toy, key_file: tuple[Path, str], settings: AuditSettings) -> None:
    async with gateway_with(settings, toy, key_file, max_concurrent_rpcs=1) as client:
        call = client.bidi("Chat")
        await call.write(b"one")
        await call.read()
        assert await client.unary("Echo", b"").code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        record = await ended(settings)
        assert (record["decision"], record["reason"]) == ("refused", "TOO_MANY_CALLS")
        call.cancel()


async def test_a_deadline(audited: Client, settings: AuditSettings, toy: Toy) -> None:
    call = audited.unary("Hang", b"", timeout=0.5)
    assert await call.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert (await ended(settings))["code"] == "DEADLINE_EXCEEDED"


async def test_reflection_is_recorded_and_health_is_not(audited: Client, settings: AuditSettings) -> None:
    stub: Any = reflection_pb2_grpc.ServerReflectionStub(audited.channel)  # type: ignore[arg-type]  # the stub takes both
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    async for _ in stub.ServerReflectionInfo(iter((request,)), metadata=audited.key):
        pass
    record = await ended(settings)  # though the client has watched the health before
    assert record["method"].startswith("/grpc.reflection.")
    assert (record["channel"], record["requests"], record["answers"]) == ("ivr", 1, 1)
    assert record["request_sha256"] == framed(request.SerializeToString())


async def test_the_version_of_the_model(audited: Client, settings: AuditSettings, toy: Toy) -> None:
    toy.trailers = (("x-bankai-model-version", "intent 7"),)
    await audited.unary("Echo", b"")
    assert (await ended(settings))["model_version"] == "intent 7"


async def test_an_answer_that_was_given_before(
    toy: Toy, key_file: tuple[Path, str], settings: AuditSettings, tmp_path: Path
) -> None:
    toy.trailers = (("x-bankai-model-version", "intent 7"),)
    keeping = IdempotencySettings(folder=tmp_path / "idempotency")
    async with gateway_with(settings, toy, key_file, with_reflection=True, idempotency=keeping) as client:
        for _ in range(2):
            await client.unary("Echo", b"x", metadata=(("idempotency-key", "a"),))
    first, second = records(settings.folder)
    assert (first["replayed"], second["replayed"]) == (0, 1)
    for same in ("request_sha256", "answer_sha256", "model_version", "code", "kind"):
        assert first[same] == second[same]
    assert (second["model_version"], second["kind"]) == ("intent 7", "unary")


@pytest.mark.parametrize(
    ("method", "code", "reason"),
    [
        ("/no.such.v1.Service/Method", "PERMISSION_DENIED", "METHOD_NOT_ALLOWED"),
        ("/", "PERMISSION_DENIED", "METHOD_NOT_ALLOWED"),
        ("/no.Such/Method", "UNIMPLEMENTED", "UNKNOWN_METHOD"),
        (f"/{SERVICE}/Nothing", "UNIMPLEMENTED", ""),
    ],
)
async def test_methods_that_do_not_exist(
    audited: Client, settings: AuditSettings, method: str, code: str, reason: str
) -> None:
    call = audited.channel.unary_unary(method, as_is, as_is)(b"", metadata=audited.key)
    assert (await call.code()).name == code
    record = await ended(settings)
    assert (record["method"], record["code"], record["reason"]) == (method, code, reason)


async def test_a_number_for_a_method_is_not_kept(audited: Client, settings: AuditSettings) -> None:
    call = audited.channel.unary_unary("/toy.v1.Toy/13912345678", as_is, as_is)(b"", metadata=audited.key)
    await call.code()
    assert (await ended(settings))["method"] == "/toy.v1.Toy/[phone]"
