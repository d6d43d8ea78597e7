"""How a server goes away: in this process, and as a process that gets signals."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from bankai.channel import channel_options
from tests.bankai.toy import classify, segment, serving, stub


async def test_a_drain_finishes_calls_and_tells_streams() -> None:
    going_on, cleaned_up = asyncio.Event(), asyncio.Event()

    async def slow(context: Any) -> None:
        await going_on.wait()
        context.add_done_callback(lambda _context: None)

    async with serving() as (toy, server, channel):
        toy.actions["slow"] = slow
        unary = asyncio.create_task(classify(channel, "slow"))
        stream = stub(channel).StreamCall()
        await stream.write(segment("1"))
        await stream.read()
        await toy.entered.wait()
        draining = asyncio.create_task(server.drain())
        draining.add_done_callback(lambda _task: cleaned_up.set())
        assert (await stream.read()).HasField("reconnect")
        assert await stream.read() is grpc.aio.EOF
        assert await stream.code() is grpc.StatusCode.OK
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await classify(channel)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert not cleaned_up.is_set()
        going_on.set()
        await unary
        await asyncio.wait_for(draining, 5)


async def test_grace_has_an_end_and_handlers_clean_up() -> None:
    ended: list[str] = []

    async def endless(_context: Any) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.1)
            ended.append("cleaned up")

    async with serving(drain_grace_s=0.2) as (toy, server, channel):
        toy.actions["endless"] = endless
        unary = asyncio.create_task(classify(channel, "endless"))
        await toy.entered.wait()
        await asyncio.wait_for(server.drain(), 10)
        assert ended == ["cleaned up"]
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await unary
        assert caught.value.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}


async def test_what_an_aborted_handler_does_afterwards_is_waited_for() -> None:
    ended: list[str] = []

    async def abort(context: Any) -> None:
        try:
            await context.abort(grpc.StatusCode.NOT_FOUND, "gone")
        finally:
            await asyncio.sleep(0.3)
            ended.append("cleaned up")

    async with serving() as (toy, server, channel):
        toy.actions["abort"] = abort
        with pytest.raises(grpc.aio.AioRpcError):
            await classify(channel, "abort")
        await asyncio.wait_for(server.drain(), 10)
        assert ended == ["cleaned up"]


PROGRAM = """
import asyncio, os
from bankai import logging, server
from bankai.settings import LogSettings
from tests.bankai import toy

async def main():
    logging.configure(LogSettings(), "toy")
    servicer = toy.Toy()
    servicer.actions["slow"] = lambda context: asyncio.sleep(1)
    servicer.actions["endless"] = lambda context: asyncio.sleep(100)
    servicer.server = server.GrpcServer(
        toy.ServerSettings(listen="127.0.0.1:0", drain_grace_s=60), name="toy"
    )
    servicer.server.add(
        lambda grpc_server: toy.intent_pb2_grpc.add_IntentServiceServicer_to_server(servicer, grpc_server),
        [toy.SERVICE],
    )
    running = asyncio.create_task(servicer.server.run())
    while not servicer.server.port:
        await asyncio.sleep(0.01)
    print(servicer.server.port, flush=True)
    await running

server.run(main())
"""


@asynccontextmanager
async def process() -> AsyncIterator[tuple[asyncio.subprocess.Process, Any]]:
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error", "-c", PROGRAM, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        assert started.stdout is not None
        port = int(await asyncio.wait_for(started.stdout.readline(), 30))
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=channel_options()) as channel:
            yield started, channel
    finally:
        if started.returncode is None:
            started.kill()
        await started.communicate()


async def ended(started: asyncio.subprocess.Process) -> tuple[int | None, str]:
    _, log = await asyncio.wait_for(started.communicate(), 20)
    return started.returncode, log.decode()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_drains_the_process(number: signal.Signals) -> None:
    async with process() as (started, channel):
        stream = stub(channel).StreamCall()
        await stream.write(segment("1"))
        await stream.read()
        unary = asyncio.create_task(classify(channel, "slow"))
        await asyncio.sleep(0.3)
        started.send_signal(number)
        assert (await stream.read()).HasField("reconnect")
        assert await stream.read() is grpc.aio.EOF
        await unary
        code, log = await ended(started)
    assert code == 0
    assert '"draining"' in log
    assert '"stopped"' in log
    assert "Traceback" not in log


@pytest.mark.slow
async def test_a_second_signal_stops_at_once() -> None:
    async with process() as (started, channel):
        unary = asyncio.create_task(classify(channel, "endless"))
        await asyncio.sleep(0.3)
        began = time.monotonic()
        started.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.3)
        assert started.returncode is None
        started.send_signal(signal.SIGTERM)
        code, log = await ended(started)
        assert time.monotonic() - began < 10
        with pytest.raises(grpc.aio.AioRpcError):
            await unary
    assert code == 0
    assert '"stopping at once"' in log
    assert "Traceback" not in log


@pytest.mark.slow
async def test_a_killed_client_is_no_half_close() -> None:
    client = """
import sys, time, grpc
from tests.bankai.toy import STREAM, segment
call = grpc.insecure_channel(sys.argv[1]).stream_stream(STREAM)(
    segment(str(number)).SerializeToString() if not number else time.sleep(60) for number in range(2)
)
next(call)
print("up", flush=True)
time.sleep(60)
"""
    async with serving() as (toy, server, _):
        started = await asyncio.create_subprocess_exec(
            sys.executable, "-c", client, f"127.0.0.1:{server.port}", stdout=subprocess.PIPE
        )
        assert started.stdout is not None
        await asyncio.wait_for(started.stdout.readline(), 30)
        os.kill(started.pid, signal.SIGKILL)
        assert await asyncio.wait_for(toy.ends.get(), 10) == "cancelled"
        await started.communicate()
