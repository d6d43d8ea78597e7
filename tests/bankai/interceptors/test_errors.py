import asyncio
from typing import Any

import grpc
import pytest

from bankai import errors, status
from bankai.intent.v1 import intent_pb2
from bankai.interceptors.request_id import HEADER
from tests.bankai.logs import Logs
from tests.bankai.toy import CLASSIFY, STREAM, classify, segment, serving, stream, stub

SECRET = "卡号6222021234567890128"


def raising(error: BaseException) -> Any:
    def action(_context: Any) -> None:
        raise error

    return action


@pytest.mark.parametrize("cls", errors.BankaiError.__subclasses__())
async def test_each_error_reaches_the_client_whole(cls: type[errors.BankaiError]) -> None:
    sent = cls("SOME_REASON", "什么不对", violations=[errors.FieldViolation("text", "empty")], retry_after=1.5)
    async with serving() as (toy, _, channel):
        toy.actions["x"] = raising(sent)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await classify(channel, "x", metadata=((HEADER, "abc"),))
    assert caught.value.code() is cls.code
    assert dict(caught.value.trailing_metadata())[HEADER] == "abc"
    received = status.from_rpc_error(caught.value)
    assert type(received) is cls
    assert (received.reason, received.message) == ("SOME_REASON", "什么不对")
    assert (received.violations, received.retry_after) == (sent.violations, 1.5)


@pytest.mark.parametrize("kind", ["unary", "stream"])
async def test_an_unforeseen_exception_says_nothing_but_the_request_id(kind: str, logs: Logs) -> None:
    async with serving() as (toy, _, channel):
        toy.actions["x"] = raising(ValueError(SECRET))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await (classify if kind == "unary" else stream)(channel, "x")
    error = status.from_rpc_error(caught.value)
    request_id = dict(caught.value.trailing_metadata())[HEADER]
    assert isinstance(error, errors.FaultError)
    assert (error.reason, error.message) == ("INTERNAL", f"internal error; request id {request_id}")
    (line,) = logs.lines("handler failed")
    assert line["request_id"] == request_id
    assert "ValueError" in line["exception"]
    assert SECRET[2:] not in logs.text


async def test_a_wrong_answer_is_our_fault() -> None:
    async with serving() as (_, _, channel):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub(channel).ListIntents(intent_pb2.ListIntentsRequest())
    assert status.from_rpc_error(caught.value).reason == "INTERNAL"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (errors.NotFoundError("GONE", "gone"), "GONE"),
        (ExceptionGroup("parts", [ValueError("x"), errors.NotFoundError("GONE", "gone")]), "GONE"),
        (ExceptionGroup("parts", [ExceptionGroup("inner", [errors.ConflictError("BUSY", "busy")])]), "BUSY"),
        (ExceptionGroup("parts", [ValueError("x")]), "INTERNAL"),
    ],
)
async def test_a_task_group_fails_with_what_failed_in_it(error: Exception, reason: str) -> None:
    async with serving() as (toy, _, channel):
        toy.actions["x"] = raising(error)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await classify(channel, "x")
    assert status.from_rpc_error(caught.value).reason == reason


async def test_a_handlers_own_abort_and_trailers_pass(logs: Logs) -> None:
    async def abort(context: Any) -> None:
        context.set_trailing_metadata((("own", "1"),))
        await context.abort(grpc.StatusCode.ABORTED, "own words", (("own", "2"),))

    def set_trailers(context: Any) -> None:
        context.set_trailing_metadata((("own", "1"),))

    async with serving() as (toy, _, channel):
        toy.actions |= {"abort": abort, "trailers": set_trailers}
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await classify(channel, "abort")
        assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.ABORTED, "own words")
        assert dict(caught.value.trailing_metadata())["own"] == "2"
        call = stub(channel).Classify(intent_pb2.ClassifyRequest(text="trailers"), metadata=((HEADER, "abc"),))
        await call
        assert dict(await call.trailing_metadata()) == {"own": "1", HEADER: "abc"}
    assert [line["code"] for line in logs.lines("call")] == ["ABORTED", "OK"]
    assert not logs.lines("handler failed")


async def test_a_client_that_vanishes_is_no_half_close_and_no_fault(logs: Logs) -> None:
    ends: asyncio.Queue[str] = asyncio.Queue()

    async def follow(requests: Any, context: Any) -> None:
        try:
            async for request in requests:
                await context.write(request)
            ends.put_nowait("half-close")
        except asyncio.CancelledError:
            ends.put_nowait("cancelled")
            raise

    handlers: dict[str, Any] = {"Follow": grpc.stream_stream_rpc_method_handler(follow)}
    generic = grpc.method_handlers_generic_handler("toy.Bytes", handlers)
    async with serving(register=lambda server: server.add_generic_rpc_handlers((generic,))) as (_, _, channel):
        calls = [channel.stream_stream("/toy.Bytes/Follow")() for _ in range(50)]
        for call in calls:
            await call.write(b"x")
            await call.read()
        for call in calls:
            call.cancel()
        assert [await asyncio.wait_for(ends.get(), 5) for _ in calls] == ["cancelled"] * 50
        call = channel.stream_stream("/toy.Bytes/Follow")()
        await call.done_writing()
        assert await call.read() is grpc.aio.EOF
        assert ends.get_nowait() == "half-close"
    assert [line["code"] for line in logs.lines("call")] == ["CANCELLED"] * 50 + ["OK"]
    assert not logs.lines("handler failed")


@pytest.mark.parametrize("raw", [b"\x0a\x02\xff\xfe", b"\x0a\x7f", b"\xff"])
async def test_malformed_bytes_are_the_clients_fault(raw: bytes, logs: Logs) -> None:
    async with serving() as (_, _, channel):
        with pytest.raises(grpc.aio.AioRpcError) as unary:
            await channel.unary_unary(CLASSIFY)(raw)
        call = channel.stream_stream(STREAM)()
        await call.write(segment("1").SerializeToString())
        assert await call.read() is not grpc.aio.EOF
        await call.write(raw)
        with pytest.raises(grpc.aio.AioRpcError) as bidi:
            await call.read()
        await classify(channel)  # no other call notices
    for caught in (unary.value, bidi.value):
        error = status.from_rpc_error(caught)
        assert isinstance(error, errors.InvalidRequestError)
        assert error.reason == "MALFORMED_MESSAGE"
    assert not logs.lines("handler failed")


async def test_handlers_of_bytes_and_of_every_kind_are_served_alike() -> None:
    async def unary(request: bytes, _context: Any) -> bytes:
        return _echo(request)

    async def server_stream(request: bytes, context: Any) -> None:
        await context.write(_echo(request))

    async def client_stream(requests: Any, _context: Any) -> bytes:
        return _echo(b"".join([request async for request in requests]))

    async def bidi(requests: Any, _context: Any) -> Any:
        async for request in requests:
            yield _echo(request)

    handlers: dict[str, Any] = {
        "Unary": grpc.unary_unary_rpc_method_handler(unary),
        "Server": grpc.unary_stream_rpc_method_handler(server_stream),
        "Client": grpc.stream_unary_rpc_method_handler(client_stream),
        "Bidi": grpc.stream_stream_rpc_method_handler(bidi),
    }
    generic = grpc.method_handlers_generic_handler("toy.Bytes", handlers)
    async with serving(register=lambda server: server.add_generic_rpc_handlers((generic,))) as (_, _, channel):
        good, bad = [b"\xff\x00"], [b"bad"]
        assert await channel.unary_unary("/toy.Bytes/Unary")(good[0]) == good[0]
        assert [message async for message in channel.unary_stream("/toy.Bytes/Server")(good[0])] == good
        assert await channel.stream_unary("/toy.Bytes/Client")(iter(good)) == good[0]
        assert [message async for message in channel.stream_stream("/toy.Bytes/Bidi")(iter(good))] == good
        calls: list[Any] = [
            channel.unary_unary("/toy.Bytes/Unary")(bad[0]),
            channel.unary_stream("/toy.Bytes/Server")(bad[0]),
            channel.stream_unary("/toy.Bytes/Client")(iter(bad)),
            channel.stream_stream("/toy.Bytes/Bidi")(iter(bad)),
        ]
        for call in calls:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await (call.read() if hasattr(call, "read") else call)
            assert status.from_rpc_error(caught.value).reason == "BAD"
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.unary_unary("/toy.Bytes/Nothing")(b"")
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def _echo(request: bytes) -> bytes:
    if request == b"bad":
        raise errors.InvalidRequestError("BAD", "bad")
    return request
