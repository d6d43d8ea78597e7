"""Slow readers, floods and large answers: what the gateway holds stays bounded."""

import asyncio
import os
from collections.abc import Callable

import grpc
import psutil
import pytest

from bankai.status import from_rpc_error
from tests.gateway.conftest import Client
from tests.gateway.toy import BIG, Toy

MiB = 1024 * 1024
# Windows of two connections, which grow with use, and what sockets hold; the floods are ten times as long.
HELD = 48 * MiB
FLOOD = 8000


def resident() -> int:
    return int(psutil.Process(os.getpid()).memory_info().rss)


async def settled(count: Callable[[], int]) -> None:
    """Waits until a counter has begun to move and stands still again."""
    before = 0
    while not count() or before != count():
        before = count()
        await asyncio.sleep(0.5)


@pytest.mark.slow
async def test_a_client_that_never_reads_stops_the_backend(client: Client, toy: Toy) -> None:
    start = resident()
    call = client.server_stream("Flood", str(FLOOD).encode())
    await call.initial_metadata()
    await settled(lambda: toy.flooded)
    assert 0 < toy.flooded * BIG < HELD
    assert resident() - start < 2 * HELD
    call.cancel()


@pytest.mark.slow
async def test_a_slow_reader_gets_everything(client: Client, toy: Toy) -> None:
    count = 1000
    received = 0
    async for message in client.server_stream("Flood", str(count).encode()):
        received += len(message)
        if received % (100 * BIG) == 0:
            await asyncio.sleep(0.05)
    assert received == count * BIG


@pytest.mark.slow
async def test_a_backend_that_never_reads_stops_the_client(client: Client, toy: Toy) -> None:
    start = resident()
    call = client.client_stream("Deaf")
    sent = 0

    async def send() -> None:
        nonlocal sent
        while sent < FLOOD:
            await call.write(bytes(BIG))
            sent += 1

    sending = asyncio.create_task(send())
    await settled(lambda: sent)
    assert 0 < sent * BIG < HELD
    assert resident() - start < 2 * HELD
    sending.cancel()
    await asyncio.wait((sending,))
    call.cancel()


async def test_a_backend_that_reads_late_gets_everything(client: Client, toy: Toy) -> None:
    call = client.client_stream("Deaf")
    for _ in range(10):
        await call.write(bytes(1000))
    await call.done_writing()
    toy.may_read.set()
    assert await call == b"10000"


async def test_one_stuck_stream_does_not_hold_up_others(client: Client, toy: Toy) -> None:
    stuck = client.server_stream("Flood", str(FLOOD).encode())
    await stuck.initial_metadata()
    async with asyncio.timeout(10):
        for _ in range(20):
            assert await client.unary("Echo", b"x") == b"x"
    stuck.cancel()


async def test_an_answer_over_the_limit(either: Client) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await either.unary("Huge", b"")
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert from_rpc_error(caught.value).reason == "MESSAGE_TOO_LARGE"
