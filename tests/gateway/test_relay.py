import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator

import grpc
import pytest

from tests.gateway.conftest import Client, as_is
from tests.gateway.toy import SERVICE, Toy


async def test_unary(either: Client) -> None:
    assert await either.unary("Echo", b"hello") == b"hello"


async def test_an_empty_message_is_a_message(either: Client) -> None:
    assert await either.unary("Echo", b"") == b""


async def test_server_stream(either: Client) -> None:
    assert [message async for message in either.server_stream("Count", b"100")] == [
        str(number).encode() for number in range(100)
    ]


async def test_an_empty_stream(either: Client) -> None:
    assert [message async for message in either.server_stream("Count", b"0")] == []


async def test_client_stream(either: Client) -> None:
    async def requests() -> AsyncIterator[bytes]:
        for number in range(3):
            yield str(number).encode()

    assert await either.client_stream("Collect", requests()) == b"0+1+2"


async def test_bidi_answers_before_the_half_close_and_after_it(either: Client) -> None:
    call = either.bidi("Chat")
    for word in (b"one", b"two"):
        await call.write(word)
        assert await call.read() == b"you said " + word
    await call.done_writing()
    assert await call.read() == b"bye"
    assert await call.read() is grpc.aio.EOF
    assert await call.code() is grpc.StatusCode.OK


async def test_initial_and_trailing_metadata(either: Client) -> None:
    call = either.unary("Show", b"", metadata=(("x-mine", "a"), ("x-mine-bin", b"\x00\xfe")))
    await call
    initial, trailing = tuple(await call.initial_metadata()), tuple(await call.trailing_metadata())
    assert ("x-early", "1") in initial
    assert ("x-early-bin", b"\x00\xff") in initial
    assert [item for item in trailing if item[0].startswith("x-late")] == [
        ("x-late", "2"),
        ("x-late", "3"),
        ("x-late-bin", b"\xff\x00"),
    ]


async def test_request_metadata_without_credentials_and_with_the_channel(either: Client, toy: Toy) -> None:
    call = either.unary(
        "Show",
        b"",
        metadata=(
            ("x-mine", "a"),
            ("x-mine-bin", b"\x00\xfe"),
            ("authorization", "Basic abc"),
            ("x-bankai-channel", "core-banking"),
            ("x-bankai-else", "x"),
            ("x-request-id", "mine-17"),
            ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ),
    )
    await call
    agent = toy.metadata.pop("user-agent")
    assert agent.startswith("grpc-python-asyncio")
    assert toy.metadata == {
        "x-mine": "a",
        "x-mine-bin": b"\x00\xfe",
        "x-bankai-channel": "ivr",
        "x-request-id": "mine-17",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }
    assert ("x-request-id", "mine-17") in tuple(await call.trailing_metadata())


async def test_a_request_id_is_made(either: Client, toy: Toy) -> None:
    call = either.unary("Show", b"")
    await call
    assert ("x-request-id", toy.metadata["x-request-id"]) in tuple(await call.trailing_metadata())


@pytest.mark.parametrize("early", ["", "with early metadata"])
@pytest.mark.parametrize(
    "code",
    [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK],
    ids=lambda code: code.name,
)
async def test_status_message_details_and_trailers(client: Client, code: grpc.StatusCode, early: str) -> None:
    await _status(client, code, early=bool(early))


@pytest.mark.parametrize("early", ["", "with early metadata"])
async def test_status_of_either_relay(either: Client, early: str) -> None:
    await _status(either, grpc.StatusCode.FAILED_PRECONDITION, early=bool(early))


async def _status(client: Client, code: grpc.StatusCode, *, early: bool) -> None:
    wanted = {"code": code.name, "message": "余额不足 %\n\t1", "trailers": True, "early": early}
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.unary("Fail", json.dumps(wanted).encode())
    error = caught.value
    assert error.code() is code
    assert error.details() == wanted["message"]
    assert (("x-early", "1") in tuple(error.initial_metadata())) == early
    trailers = dict(error.trailing_metadata())
    assert trailers["grpc-status-details-bin"] == b"\x08\x05"
    assert trailers["x-why"] == "because"
    assert trailers["x-request-id"]


async def test_a_plain_status_stays_as_it_is(either: Client) -> None:
    wanted = {"code": "NOT_FOUND", "message": "", "trailers": False}
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await either.unary("Fail", json.dumps(wanted).encode())
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    assert caught.value.details() == ""
    assert "grpc-status-details-bin" not in dict(caught.value.trailing_metadata())


async def test_early_metadata_comes_before_any_message(either: Client, toy: Toy) -> None:
    call = either.server_stream("Early", b"")
    async with asyncio.timeout(5):
        assert ("x-early", "1") in tuple(await call.initial_metadata())
    toy.may_read.set()
    assert [message async for message in call] == [b"now"]


async def test_a_backend_that_ends_the_call_while_the_client_writes(client: Client) -> None:
    def requests() -> Iterator[bytes]:
        for _ in range(1000):
            yield bytes(1000)
            time.sleep(0.001)

    def talk() -> tuple[bytes, grpc.RpcError]:
        # Not through grpc.aio, whose clients lose the status when a write of theirs meets the end of the call.
        with grpc.insecure_channel(f"127.0.0.1:{client.server.port}") as channel:
            call = channel.stream_stream(f"/{SERVICE}/Refuse", as_is, as_is)(requests(), metadata=client.key)
            answer = next(call)
            with pytest.raises(grpc.RpcError) as caught:
                next(call)
        return answer, caught.value

    for _ in range(10):
        answer, error = await asyncio.to_thread(talk)
        assert answer == bytes(1000)
        assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
        assert error.details() == "enough"
        assert "x-why" in [item.key for item in error.trailing_metadata() or ()]


async def test_the_deadline_goes_along(either: Client) -> None:
    left = json.loads(await either.unary("Show", b"", timeout=30))["left"]
    assert 20 < left < 31


async def test_the_deadline_ends_the_call_on_both_sides(either: Client, toy: Toy) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await either.unary("Hang", b"", timeout=1)  # enough to get there
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await toy.saw("cancelled")


async def test_cancelling_reaches_the_backend(either: Client, toy: Toy) -> None:
    call = either.unary("Hang", b"")
    await toy.saw("begun")
    call.cancel()
    await toy.saw("cancelled")


async def test_cancelling_a_stream_is_no_half_close(either: Client, toy: Toy) -> None:
    call = either.bidi("Chat")
    await call.write(b"one")
    assert await call.read() == b"you said one"
    call.cancel()
    await toy.saw("cancelled")
    assert "half-closed" not in toy.events


async def test_compressed_requests(either: Client) -> None:
    call = either.unary("Echo", bytes(100_000), compression=grpc.Compression.Gzip)
    assert await call == bytes(100_000)


async def test_large_messages_pass_up_to_the_limit(either: Client) -> None:
    size = 4 * 1024 * 1024
    assert len(await either.unary("Echo", bytes(size))) == size


async def test_a_request_over_the_limit(either: Client) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await either.unary("Echo", bytes(4 * 1024 * 1024 + 1))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


@pytest.mark.slow
async def test_two_hundred_streams_at_once_do_not_mix(client: Client) -> None:
    async def talk(number: int) -> None:
        call = client.bidi("Chat")
        for turn in range(5):
            word = f"{number}:{turn}".encode()
            await call.write(word)
            assert await call.read() == b"you said " + word
        await call.done_writing()
        assert await call.read() == b"bye"
        assert await call.read() is grpc.aio.EOF

    await asyncio.gather(*(talk(number) for number in range(200)))
