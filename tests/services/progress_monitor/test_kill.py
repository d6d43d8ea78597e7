"""The service is killed in the middle of a rescan, and started again."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from bankai.client.progress import ProgressClient
from bankai.loopback import free_ports
from bankai.progress.v1 import progress_pb2 as pb
from bankai.progress.v1 import progress_pb2_grpc
from tests.services.progress_monitor.serving import Service, project

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

PROJECTS = 12


@asynccontextmanager
async def process(folder: Path, port: int) -> AsyncIterator[tuple[subprocess.Popen[bytes], Service]]:
    prefix = "BANKAI_PROGRESS_MONITOR_"
    settings = {
        f"{prefix}SERVER__LISTEN": f"127.0.0.1:{port}",
        f"{prefix}STORAGE__FOLDER": str(folder),
        f"{prefix}RESCAN__LEASE_S": "2",
        f"{prefix}RESCAN__POLL_S": "0.1",
    }
    command = [sys.executable, "-m", "services.progress_monitor"]
    started = await asyncio.to_thread(
        subprocess.Popen, command, env={**os.environ, **settings}, stderr=subprocess.DEVNULL
    )
    options = (("grpc.use_local_subchannel_pool", 1), ("grpc.max_reconnect_backoff_ms", 200))
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options) as channel:
            await asyncio.wait_for(channel.channel_ready(), 60)
            yield started, Service(progress_pb2_grpc.ProgressServiceStub(channel), ProgressClient(channel))
    finally:
        started.kill()
        started.wait()


def scanned(folder: Path) -> dict[str, int]:
    with sqlite3.connect(folder / "projects.db") as database:
        return dict(database.execute("SELECT project_id, observations FROM progress_rescan_items WHERE done"))


async def test_a_killed_rescan_goes_on_and_repeats_nothing(tmp_path: Path) -> None:
    port = free_ports(1)[0]
    async with process(tmp_path, port) as (running, service):
        for number in range(PROJECTS):
            await service.client.register(project(f"p{number:02d}"))
            for picture in (0, 12):
                await service.observe(picture, f"p{number:02d}")
        operation = await service.stub.RescanPortfolio(pb.RescanPortfolioRequest(request_id="r"))
        async with asyncio.timeout(60):
            while len(scanned(tmp_path)) < 3:  # noqa: ASYNC110  # another process sets no event of ours
                await asyncio.sleep(0.02)
        running.send_signal(signal.SIGKILL)
        running.wait()
    before = scanned(tmp_path)
    assert 3 <= len(before) < PROJECTS
    async with process(tmp_path, port) as (_, service):
        asked = pb.GetRescanRequest(name=operation.name, wait=Duration(seconds=60))
        done = await service.stub.GetRescan(asked)
        assert done.done
        outcome = pb.RescanPortfolioResponse()
        done.response.Unpack(outcome)
    # Each project was measured once; one that was done before the kill is not among those done after it.
    assert (outcome.projects, outcome.observations) == (PROJECTS, 2 * PROJECTS)
