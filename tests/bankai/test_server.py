import asyncio
import gc
import urllib.request
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from bankai.channel import channel_options
from bankai.server import GrpcServer
from bankai.settings import ServerSettings, TlsSettings
from tests.bankai.logs import Logs
from tests.bankai.toy import SERVICE, classify, segment, serving, stream, stub
from tests.certificates import Authority


async def test_reflection_names_the_services() -> None:
    async with serving() as (_, _, channel):
        reflection: Any = reflection_pb2_grpc.ServerReflectionStub(channel)
        question = reflection_pb2.ServerReflectionRequest(list_services="")
        (answer,) = [answer async for answer in reflection.ServerReflectionInfo(iter([question]))]
    names = {service.name for service in answer.list_services_response.service}
    assert names == {SERVICE, "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}


async def test_a_message_over_the_limit_is_refused_and_nobody_else_notices() -> None:
    async with serving(max_message_bytes=10_000, options=()) as (_, _, channel):
        running = stub(channel).StreamCall()
        await running.write(segment("1"))
        await running.read()
        await classify(channel, "x" * 9_000)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await classify(channel, "x" * 10_001)
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stream(channel, "x" * 10_001)
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        await running.write(segment("2"))
        assert (await running.read()).analysis.segment_id == "2"


async def test_metrics_are_served_over_http() -> None:
    async with serving(metrics_listen="127.0.0.1:0") as (_, server, channel):
        await classify(channel)
        url = f"http://127.0.0.1:{server.metrics_port}/metrics"
        text = await asyncio.to_thread(lambda: urllib.request.urlopen(url, timeout=5).read().decode())
    assert f'grpc_server_started_total{{grpc_method="Classify",grpc_service="{SERVICE}",grpc_type="unary"}}' in text
    assert "process_resident_memory_bytes" in text


async def test_an_address_in_use_is_said_to_be() -> None:
    async with serving() as (_, server, _):
        other = GrpcServer(ServerSettings(listen=f"127.0.0.1:{server.port}"), name="other")
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{server.port}"):
            await other.start()
        other = GrpcServer(
            ServerSettings(listen="127.0.0.1:0", metrics_listen=f"127.0.0.1:{server.port}"), name="other"
        )
        with pytest.raises(OSError, match="in use"):
            await other.start()


@pytest.mark.slow
async def test_clients_may_ping_as_often_as_the_settings_say(logs: Logs) -> None:
    # The library's own limit of five minutes would cut the stream off with too_many_pings after the third.
    async with serving(keepalive_s=0.9, options=channel_options(keepalive_s=0.5)) as (_, _, channel):
        call = stub(channel).StreamCall()
        await call.write(segment("1"))
        await call.read()
        await asyncio.sleep(6)
        await call.write(segment("2"))
        assert (await call.read()).analysis.segment_id == "2"


@pytest.mark.slow
async def test_a_connection_of_age_goes_away_without_losing_calls() -> None:
    async with serving(max_connection_age_s=0.5, max_connection_age_grace_s=10.0) as (_, _, channel):
        call = stub(channel).StreamCall()
        await call.write(segment("1"))
        await call.read()
        for _ in range(100):
            await classify(channel)
            await asyncio.sleep(0.02)
        await call.write(segment("2"))
        assert (await call.read()).analysis.segment_id == "2"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    authority = Authority()
    (folder / "ca.pem").write_bytes(authority.pem)
    for name in ("server", "client"):
        authority.issue(name).write(folder, name)
    return folder


@pytest.mark.parametrize("mutual", [False, True])
async def test_tls_from_files(certificates: Path, *, mutual: bool) -> None:
    tls = TlsSettings(
        cert=certificates / "server.pem",
        key=certificates / "server.key",
        client_ca=certificates / "ca.pem" if mutual else None,
    )
    ca = (certificates / "ca.pem").read_bytes()
    own = ((certificates / "client.key").read_bytes(), (certificates / "client.pem").read_bytes())
    async with serving(tls=tls) as (_, server, plain):
        with pytest.raises(grpc.aio.AioRpcError):
            await classify(plain)
        target = f"localhost:{server.port}"
        async with grpc.aio.secure_channel(target, grpc.ssl_channel_credentials(ca, *own)) as channel:
            await classify(channel)
        async with grpc.aio.secure_channel(target, grpc.ssl_channel_credentials(ca)) as channel:
            if mutual:
                with pytest.raises(grpc.aio.AioRpcError):
                    await classify(channel)
            else:
                await classify(channel)


def held() -> dict[str, int]:
    """How many files and threads this process holds."""
    return {kind: len(list(Path(f"/proc/self/{kind}").iterdir())) for kind in ("fd", "task")}


async def test_nothing_is_left_behind() -> None:
    async def once() -> None:
        async with serving(metrics_listen="127.0.0.1:0") as (toy, _, channel):
            await asyncio.gather(*(classify(channel) for _ in range(50)))
            calls = [stub(channel).StreamCall() for _ in range(20)]
            for call in calls:
                await call.write(segment("1"))
                await call.read()
            for call in calls:
                call.cancel()
            for _ in calls:
                assert await asyncio.wait_for(toy.ends.get(), 5) == "cancelled"

    await once()
    gc.collect()
    before = held()
    for _ in range(3):
        await once()
    gc.collect()
    assert asyncio.all_tasks() - {asyncio.current_task()} == set()
    after = held()
    assert all(after[kind] <= before[kind] + 2 for kind in before)
