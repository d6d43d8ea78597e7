"""Calls with an idempotency key through the gateway."""

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import grpc
import pytest

from bankai.errors import BankaiError
from bankai.status import from_rpc_error
from gateway.authn.api_keys import add_key, new_key
from gateway.idempotency.settings import IdempotencySettings
from tests.gateway.conftest import Client, as_is, settings_for, through
from tests.gateway.toy import SERVICE, Toy, serving


def keyed_with(key: str) -> dict[str, Any]:
    return {"metadata": (("idempotency-key", key),)}


async def refusal(call: Any) -> BankaiError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return from_rpc_error(caught.value)


async def trailers(call: grpc.aio.UnaryUnaryCall[bytes, bytes]) -> dict[str, Any]:
    """The trailers but the request's own id."""
    return {name: value for name, value in await call.trailing_metadata() or () if name != "x-request-id"}


async def test_the_same_call_again(keyed: Client, toy: Toy) -> None:
    toy.may_read.set()
    first = keyed.unary("Slow", b"pay", **keyed_with("a"))
    assert await first == b"1 pay"
    again = keyed.unary("Slow", b"pay", metadata=(("idempotency-key", "a"), ("x-request-id", "second")))
    assert await again == b"1 pay"
    assert toy.events == ["begun"]
    said = {"x-number": "1", "x-number-bin": b"\x01", "x-bankai-release": "stable"}
    assert await trailers(first) == said
    assert await trailers(again) == {**said, "x-idempotent-replay": "true"}
    assert dict(await again.trailing_metadata() or ())["x-request-id"] == "second"


async def test_another_key_and_no_key(keyed: Client, toy: Toy) -> None:
    toy.may_read.set()
    assert await keyed.unary("Slow", b"pay", **keyed_with("a")) == b"1 pay"
    assert await keyed.unary("Slow", b"pay", **keyed_with("b")) == b"2 pay"
    assert await keyed.unary("Slow", b"pay") == b"3 pay"


async def test_another_method(keyed: Client, toy: Toy) -> None:
    toy.may_read.set()
    assert await keyed.unary("Slow", b"pay", **keyed_with("a")) == b"1 pay"
    assert await keyed.unary("Echo", b"other", **keyed_with("a")) == b"other"


async def test_another_request(keyed: Client, toy: Toy) -> None:
    await keyed.unary("Echo", b"one", **keyed_with("a"))
    error = await refusal(keyed.unary("Echo", b"two", **keyed_with("a")))
    assert (error.code, error.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "IDEMPOTENCY_KEY_REUSED")
    assert await keyed.unary("Echo", b"one", **keyed_with("a")) == b"one"


async def test_another_channel(keyed: Client, toy: Toy, key_file: tuple[Path, str], idempotency: Any) -> None:
    toy.may_read.set()
    assert await keyed.unary("Slow", b"pay", **keyed_with("a")) == b"1 pay"
    raw, record = new_key("core-banking")
    add_key(key_file[0], record)
    async with (
        serving(toy, with_reflection=True) as port,
        through(
            settings_for(f"127.0.0.1:{port}", key_file[0]).model_copy(update={"idempotency": idempotency}), raw
        ) as other,
    ):
        assert await other.unary("Slow", b"pay", **keyed_with("a")) == b"2 pay"


async def test_calls_at_once_are_one_call(keyed: Client, toy: Toy) -> None:
    calls = [keyed.unary("Slow", b"pay", **keyed_with("a")) for _ in range(8)]
    await toy.saw("begun")
    await asyncio.sleep(0.2)
    toy.may_read.set()
    assert await asyncio.gather(*calls) == [b"1 pay"] * 8
    replayed = ["x-idempotent-replay" in await trailers(call) for call in calls]
    assert sorted(replayed) == [False] + [True] * 7


async def test_who_waits_does_so_within_its_deadline(keyed: Client, toy: Toy) -> None:
    first = keyed.unary("Slow", b"pay", **keyed_with("a"))
    await toy.saw("begun")
    second = keyed.unary("Slow", b"pay", timeout=0.3, **keyed_with("a"))
    assert await second.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    toy.may_read.set()
    assert await first == b"1 pay"


async def test_an_error_gives_the_key_back(keyed: Client, toy: Toy) -> None:
    failing = json.dumps({"code": "INTERNAL", "message": "no", "trailers": True}).encode()
    for _ in range(2):
        call = keyed.unary("Fail", failing, **keyed_with("a"))
        assert await call.code() is grpc.StatusCode.INTERNAL
        assert (await trailers(call))["x-why"] == "because"
    other = json.dumps({"code": "NOT_FOUND", "message": "no", "trailers": True}).encode()
    assert await keyed.unary("Fail", other, **keyed_with("a")).code() is grpc.StatusCode.NOT_FOUND


async def test_a_client_that_goes_away_gives_the_key_back(keyed: Client, toy: Toy) -> None:
    first = keyed.unary("Slow", b"pay", **keyed_with("a"))
    await toy.saw("begun")
    first.cancel()
    toy.may_read.set()
    async with asyncio.timeout(20):
        assert await keyed.unary("Slow", b"pay", **keyed_with("a")) == b"2 pay"


@pytest.mark.parametrize("key", ["", "x" * 129, "two words"])
async def test_a_key_that_is_none(keyed: Client, key: str) -> None:
    error = await refusal(keyed.unary("Echo", b"", **keyed_with(key)))
    assert (error.code, error.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "IDEMPOTENCY_KEY_INVALID")


async def test_two_keys(keyed: Client) -> None:
    metadata = (("idempotency-key", "a"), ("idempotency-key", "b"))
    assert (await refusal(keyed.unary("Echo", b"", metadata=metadata))).reason == "IDEMPOTENCY_KEY_INVALID"


async def test_a_stream(keyed: Client) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await keyed.server_stream("Count", b"3", **keyed_with("a")).read()
    error = from_rpc_error(caught.value)
    assert (error.code, error.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "IDEMPOTENCY_UNARY_ONLY")


async def test_an_unknown_service(keyed: Client) -> None:
    call = keyed.channel.unary_unary("/no.Such/Method", as_is, as_is)(
        b"", metadata=(*keyed.key, ("idempotency-key", "a"))
    )
    assert (await refusal(call)).reason == "UNKNOWN_METHOD"


async def test_without_a_key_of_the_gateway_s(keyed: Client) -> None:
    call = keyed.channel.unary_unary(f"/{SERVICE}/Echo", as_is, as_is)(b"", metadata=(("idempotency-key", "a"),))
    assert (await refusal(call)).reason == "CREDENTIAL_REQUIRED"


async def test_a_service_that_does_not_tell_its_methods(
    toy: Toy, key_file: tuple[Path, str], idempotency: IdempotencySettings
) -> None:
    async with serving(toy, with_reflection=False) as port:
        settings = settings_for(f"127.0.0.1:{port}", key_file[0]).model_copy(update={"idempotency": idempotency})
        async with through(settings, key_file[1]) as client:
            error = await refusal(client.unary("Echo", b"", **keyed_with("a")))
            assert (error.code, error.reason) == (grpc.StatusCode.UNAVAILABLE, "IDEMPOTENCY_KIND_UNKNOWN")
            assert await client.unary("Echo", b"x") == b"x"


async def test_a_gateway_that_keeps_no_answers(toy: Toy, key_file: tuple[Path, str]) -> None:
    async with (
        serving(toy, with_reflection=True) as port,
        through(settings_for(f"127.0.0.1:{port}", key_file[0]), key_file[1]) as client,
    ):
        error = await refusal(client.unary("Echo", b"", **keyed_with("a")))
        assert (error.code, error.reason) == (grpc.StatusCode.UNIMPLEMENTED, "IDEMPOTENCY_OFF")


@pytest.mark.parametrize("url", ["sqlite:////proc/none/answers.db", "postgresql://nobody@127.0.0.1:1/none"])
async def test_a_store_that_is_away(toy: Toy, key_file: tuple[Path, str], tmp_path: Path, url: str) -> None:
    away = IdempotencySettings.model_validate({"folder": tmp_path, "database_url": url})
    async with (
        serving(toy, with_reflection=True) as port,
        through(
            settings_for(f"127.0.0.1:{port}", key_file[0]).model_copy(update={"idempotency": away}), key_file[1]
        ) as client,
    ):
        error = await refusal(client.unary("Echo", b"", **keyed_with("a")))
        assert (error.code, error.reason) == (grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE")
        assert await client.unary("Echo", b"x") == b"x"


async def test_a_store_that_goes_away_during_the_call(toy: Toy, key_file: tuple[Path, str], tmp_path: Path) -> None:
    """The answer would not be given again, so it is not given."""
    settings = IdempotencySettings(folder=tmp_path)
    async with (
        serving(toy, with_reflection=True) as port,
        through(
            settings_for(f"127.0.0.1:{port}", key_file[0]).model_copy(update={"idempotency": settings}), key_file[1]
        ) as client,
    ):
        call = client.unary("Slow", b"pay", **keyed_with("a"))
        await toy.saw("begun")
        with closing(sqlite3.connect(tmp_path / "idempotency.db")) as connection:
            connection.execute("DROP TABLE idempotent_answers")
        toy.may_read.set()
        assert (await refusal(call)).reason == "STORE_UNAVAILABLE"
