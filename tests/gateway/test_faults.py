"""Backends that are away, die, or are restarted one by one; gateways that drain. Real processes and signals."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import grpc
import pytest

from bankai.loopback import free_ports
from bankai.status import from_rpc_error
from gateway.settings import BackendSettings
from tests.gateway.conftest import Client, as_is, policy_beside, reached, settings_for, through
from tests.gateway.toy import SERVICE, Toy, serving

Process = asyncio.subprocess.Process


async def answers(port: int) -> None:
    """Waits until something listens."""
    async with asyncio.timeout(60):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                await writer.wait_closed()
                return


async def refuses(port: int, metadata: tuple[tuple[str, str], ...]) -> bool:
    """Whether a new connection is told that nobody is there."""
    options = (("grpc.use_local_subchannel_pool", 1),)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options) as channel:
        call = channel.unary_unary(f"/{SERVICE}/Echo", as_is, as_is)(b"", metadata=metadata)
        return await call.code() is grpc.StatusCode.UNAVAILABLE


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not reached():  # noqa: ASYNC110  # what is waited for tells nobody
            await asyncio.sleep(0.05)


@asynccontextmanager
async def running(*arguments: str, port: int, **environment: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *arguments, env=os.environ | environment, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await answers(port)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def failure(call: grpc.aio.UnaryUnaryCall[bytes, bytes]) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value


def assert_unavailable(error: grpc.aio.AioRpcError, reason: str = "BACKEND_UNAVAILABLE") -> None:
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    told = from_rpc_error(error)
    assert told.reason == reason
    assert told.retry_after is not None
    assert "127.0.0.1" not in told.message
    assert "x-request-id" in dict(error.trailing_metadata())


async def test_a_backend_that_is_away(key_file: tuple[Path, str]) -> None:
    async with through(settings_for(f"127.0.0.1:{free_ports(1)[0]}", key_file[0]), key_file[1]) as client:
        assert_unavailable(await failure(client.unary("Echo", b"")))
        call = client.bidi("Chat")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
        assert_unavailable(caught.value)


async def test_a_name_that_does_not_exist(key_file: tuple[Path, str]) -> None:
    async with through(settings_for("dns:///no.such.invalid:1", key_file[0]), key_file[1]) as client:
        assert_unavailable(await failure(client.unary("Echo", b"", timeout=30)))


async def test_a_backend_that_comes_later_is_found(key_file: tuple[Path, str], toy: Toy) -> None:
    (port,) = free_ports(1)
    async with through(settings_for(f"127.0.0.1:{port}", key_file[0]), key_file[1]) as client:
        assert_unavailable(await failure(client.unary("Echo", b"")))
        server = grpc.aio.server()
        server.add_generic_rpc_handlers((toy,))
        server.add_insecure_port(f"127.0.0.1:{port}")
        await server.start()
        async with asyncio.timeout(20):
            while True:
                try:
                    assert await client.unary("Echo", b"x") == b"x"
                except grpc.aio.AioRpcError:
                    await asyncio.sleep(0.1)
                else:
                    break
        await server.stop(None)


@pytest.mark.parametrize("method", ["/no.such.v1.Service/Method", "/Method", "/", f"/{SERVICE}x/Echo"])
async def test_a_service_that_the_policy_does_not_name(client: Client, method: str) -> None:
    error = await failure(client.channel.unary_unary(method, as_is, as_is)(b"", metadata=client.key))
    assert error.code() is grpc.StatusCode.PERMISSION_DENIED
    assert from_rpc_error(error).reason == "METHOD_NOT_ALLOWED"


async def test_a_service_of_the_policy_without_a_route(client: Client) -> None:
    error = await failure(client.channel.unary_unary("/no.Such/Method", as_is, as_is)(b"", metadata=client.key))
    assert error.code() is grpc.StatusCode.UNIMPLEMENTED
    assert from_rpc_error(error).reason == "UNKNOWN_METHOD"


async def test_an_unknown_method_is_the_backend_s_to_refuse(either: Client) -> None:
    assert (await failure(either.unary("Nothing", b""))).code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.slow
async def test_a_backend_that_is_killed_during_calls(key_file: tuple[Path, str]) -> None:
    (port,) = free_ports(1)
    async with (
        running("tests.gateway.toy", str(port), port=port) as process,
        through(settings_for(f"127.0.0.1:{port}", key_file[0]), key_file[1]) as client,
    ):
        hanging, talking = client.unary("Hang", b""), client.bidi("Chat")
        await talking.write(b"one")
        assert await talking.read() == b"you said one"
        process.kill()
        async with asyncio.timeout(10):
            assert_unavailable(await failure(hanging))
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await talking.read()
            assert_unavailable(caught.value)


@pytest.mark.slow
async def test_a_pod_that_stands_still_is_found(key_file: tuple[Path, str]) -> None:
    """Its connection stays open and says nothing; pings tell, and our servers bear as many as it takes."""
    ports = free_ports(2)
    async with (
        running("tests.gateway.toy", str(ports[0]), port=ports[0]) as stopped,
        running("tests.gateway.toy", str(ports[1]), port=ports[1]),
        through(settings_for(f"ipv4:127.0.0.1:{ports[0]},127.0.0.1:{ports[1]}", key_file[0]), key_file[1]) as client,
    ):
        await reached(client)
        await asyncio.sleep(10)  # some pings
        talks = [client.bidi("Chat") for _ in range(4)]
        for call in talks:
            await call.write(b"one")
            assert await call.read() == b"you said one"
        stopped.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        ended = [asyncio.create_task(ending(call)) for call in talks]
        done, others = await asyncio.wait(ended, timeout=20)
        assert len(done) == len(others) == 2
        assert time.monotonic() - began >= 20
        for task in done:
            error, after_s = task.result()
            assert_unavailable(error)
            assert after_s < 15  # 8 s where the machine is not busy
        for task in others:
            task.cancel()
        for _ in range(20):
            assert await client.unary("Echo", b"x", timeout=10) == b"x"


async def ending(call: grpc.aio.StreamStreamCall[bytes, bytes]) -> tuple[grpc.aio.AioRpcError, float]:
    """How a stream ends, and after how many seconds."""
    began = time.monotonic()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call.read()
    return caught.value, time.monotonic() - began


@pytest.mark.slow
async def test_a_client_that_is_killed_cancels_the_backend(key_file: tuple[Path, str], toy: Toy) -> None:
    talk = (
        "import grpc, sys\n"
        "channel = grpc.insecure_channel(sys.argv[1])\n"
        "metadata = [('x-api-key', sys.argv[2])]\n"
        f"call = channel.stream_stream('/{SERVICE}/Chat')(iter(lambda: b'x', None), metadata=metadata)\n"
        "for _ in call: print('.', flush=True)\n"
    )
    async with (
        serving(toy, with_reflection=False) as port,
        through(settings_for(f"127.0.0.1:{port}", key_file[0]), key_file[1]) as client,
    ):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            talk,
            f"127.0.0.1:{client.server.port}",
            key_file[1],
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        await process.stdout.readline()
        process.kill()
        await process.communicate()
        await toy.saw("cancelled")
        assert "half-closed" not in toy.events


@pytest.mark.slow
async def test_restarting_the_backends_one_by_one_loses_no_unary_call(key_file: tuple[Path, str]) -> None:
    ports = free_ports(2)
    target = "ipv4:" + ",".join(f"127.0.0.1:{port}" for port in ports)
    done = asyncio.Event()
    good = 0

    async def call_on(client: Client) -> None:
        nonlocal good
        while not done.is_set():
            assert await client.unary("Echo", b"x", timeout=30) == b"x"
            good += 1
            await asyncio.sleep(0.005)

    async with AsyncExitStack() as stack:
        processes = [
            await stack.enter_async_context(running("tests.gateway.toy", str(port), port=port)) for port in ports
        ]
        settings = settings_for(target, key_file[0]).model_copy(
            update={"backend": BackendSettings(max_reconnect_s=0.5)}
        )
        client = await stack.enter_async_context(through(settings, key_file[1]))
        await client.unary("Echo", b"x")
        async with asyncio.TaskGroup() as group:
            for _ in range(4):
                group.create_task(call_on(client))
            for _ in range(2):
                for index, port in enumerate(ports):
                    processes[index].send_signal(signal.SIGTERM)
                    assert await processes[index].wait() == 0
                    processes[index] = await stack.enter_async_context(
                        running("tests.gateway.toy", str(port), port=port)
                    )
                    before = good
                    await until(lambda before=before: good >= before + 50)  # type: ignore[misc]  # a default fixes it
                    await asyncio.sleep(1.5)  # until the gateway has connected again
            done.set()
    assert good > 200


@pytest.mark.slow
async def test_sigterm_lets_calls_finish_and_tells_streams_to_go(key_file: tuple[Path, str], toy: Toy) -> None:
    async with serving(toy, with_reflection=False) as backend_port:
        (port,) = free_ports(1)
        environment = {
            "BANKAI_GATEWAY_SERVER__LISTEN": f"127.0.0.1:{port}",
            "BANKAI_GATEWAY_SERVER__DRAIN_GRACE_S": "5",
            "BANKAI_GATEWAY_KEYS_FILE": str(key_file[0]),
            "BANKAI_GATEWAY_POLICY_FILE": str(policy_beside(key_file[0])),
            "BANKAI_GATEWAY_ROUTES": json.dumps({SERVICE: f"127.0.0.1:{backend_port}"}),
        }
        metadata = (("x-api-key", key_file[1]),)
        async with (
            running("gateway", port=port, **environment) as process,
            grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
        ):
            finishing = channel.unary_stream(f"/{SERVICE}/Early", as_is, as_is)(b"", metadata=metadata)
            await finishing.initial_metadata()
            staying = channel.stream_stream(f"/{SERVICE}/Chat", as_is, as_is)(metadata=metadata)
            await staying.write(b"one")
            assert await staying.read() == b"you said one"
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(4):
                while not await refuses(port, metadata):  # noqa: ASYNC110  # another process sets no event of ours
                    await asyncio.sleep(0.05)
            toy.may_read.set()
            assert [message async for message in finishing] == [b"now"]
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await staying.read()
            assert_unavailable(caught.value, "SERVER_DRAINING")
            async with asyncio.timeout(10):
                assert await process.wait() == 0
            await toy.saw("cancelled")


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_whatever_happens_to_one_of_two_pods_no_answer_is_mixed_up_or_an_error_of_ours() -> None:
    """The benchmark of faults, a few seconds for some of them; it exits with 1 where a promise is broken."""
    faults = ["kill", "redis", "postgres", "disk", "expire"]
    command = [sys.executable, "-m", "benchmarks.faults", "--toy", "--seconds", "4", "--faults", *faults]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, said = await process.communicate()
    assert process.returncode == 0, said.decode()
    report = json.loads(out.splitlines()[-1])
    assert report["broken"] == []
    assert list(report["faults"]) == faults
    for name in ("kill", "redis"):  # idempotent calls hardly notice, even on a machine with much else to do
        unary = report["faults"][name]["unary"]
        assert sum(unary["errors"].values()) <= unary["calls"] / 20, name
    for fault in report["faults"].values():
        assert fault["unary"]["calls"] > 30
        assert fault["streams"]["calls"] > 10


async def test_a_start_with_a_wrong_setting_exits_with_its_name() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway",
        env=os.environ | {"BANKAI_GATEWAY_ROUTES": "{}"},
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    assert process.returncode == 2
    assert b"BANKAI_GATEWAY_POLICY_FILE" in said
    assert b"Traceback" not in said


@pytest.mark.slow
async def test_an_address_in_use_is_told_without_a_traceback(client: Client, key_file: tuple[Path, str]) -> None:
    environment = {
        "BANKAI_GATEWAY_SERVER__LISTEN": f"127.0.0.1:{client.server.port}",
        "BANKAI_GATEWAY_KEYS_FILE": str(key_file[0]),
        "BANKAI_GATEWAY_POLICY_FILE": str(policy_beside(key_file[0])),
        "BANKAI_GATEWAY_ROUTES": json.dumps({SERVICE: "127.0.0.1:1"}),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", env=os.environ | environment, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    assert process.returncode == 1
    assert b"ADDRESS_UNUSABLE" in said
    assert b"Traceback" not in said


async def test_nothing_is_left_behind(key_file: tuple[Path, str], toy: Toy) -> None:
    before = asyncio.all_tasks()
    async with (
        serving(toy, with_reflection=True) as port,
        through(settings_for(f"127.0.0.1:{port}", key_file[0]), key_file[1]) as client,
    ):
        baseline = len(asyncio.all_tasks())
        for _ in range(20):
            await client.unary("Echo", b"")
            talking = client.bidi("Chat")
            await talking.write(b"x")
            await talking.read()
            talking.cancel()
        await until(lambda: len(asyncio.all_tasks()) <= baseline)
    await until(lambda: not asyncio.all_tasks() - before)
