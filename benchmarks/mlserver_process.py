"""MLServer as a process of its own, serving the intent model's file with `benchmarks.mlserver_runtime`."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
from tritonclient.grpc import service_pb2, service_pb2_grpc

from bankai.cli.connection import Connection
from bankai.cli.supervisor import ProcessSpec, Supervisor
from bankai.errors import FaultError, UnavailableError
from bankai.inference.repository import ModelRepository
from bankai.loopback import HOST, free_ports
from bankai.settings import load
from benchmarks.command import say
from benchmarks.peer import Peer
from services.intent.classifier import FULL_MODEL
from services.intent.settings import IntentSettings

NAME = "mlserver"
_ROOT = Path(__file__).resolve().parents[1]
PROGRAM = _ROOT / ".bench" / "mlserver" / "bin" / "mlserver"
_START_TIMEOUT_S = 120.0
_POLL_S = 0.2
MAX_BATCH_TIME_S = 0.002
"""How long MLServer waits for a batch to fill; it does not batch without."""


@asynccontextmanager
async def running() -> AsyncIterator[Peer]:
    """Starts MLServer on free ports of the loopback, and stops it at the end.

    Raises:
        UnavailableError: PEER_MISSING, before `make bench-peer`.
        FaultError: It died or did not get ready.
    """
    if not PROGRAM.exists():
        raise UnavailableError("PEER_MISSING", "there is no MLServer: run `make bench-peer`")
    with tempfile.TemporaryDirectory(prefix="bankai-bench-") as folder:
        address = _configure(Path(folder))
        spec = ProcessSpec(NAME, [str(PROGRAM), "start", folder], {"PYTHONPATH": str(_ROOT)}, address)
        async with Supervisor([spec], lambda _name, _line: None) as supervisor:
            say("starting MLServer")
            await _started(supervisor, address)
            yield Peer(Connection(address), supervisor.pids())
            await supervisor.drain()


def _configure(folder: Path) -> str:
    """Writes MLServer's settings; returns its gRPC address."""
    settings = load(IntentSettings).inference
    repository = ModelRepository(settings.models_dir)
    config = repository.config(FULL_MODEL)
    http, grpc_port, metrics = free_ports(3)
    # One process: its batches run in threads, as many as our service has, and no queue between processes is paid for.
    server = {"debug": False, "host": HOST, "http_port": http, "grpc_port": grpc_port, "metrics_port": metrics}
    model = {
        "name": FULL_MODEL,
        "implementation": "benchmarks.mlserver_runtime.IntentRuntime",
        "max_batch_size": config.max_batch_size,
        "max_batch_time": MAX_BATCH_TIME_S,
        "parameters": {"uri": str(repository.version_dir(FULL_MODEL)), "extra": {"instances": config.instances}},
    }
    (folder / "settings.json").write_text(json.dumps(server | {"parallel_workers": 0}), encoding="utf-8")
    (folder / "model-settings.json").write_text(json.dumps(model), encoding="utf-8")
    return f"{HOST}:{grpc_port}"


async def _started(supervisor: Supervisor, address: str) -> None:
    """Returns once the model is ready. MLServer has no gRPC health service to ask."""
    ready, death = asyncio.create_task(_until_ready(address)), asyncio.create_task(supervisor.first_death())
    try:
        done, _ = await asyncio.wait((ready, death), timeout=_START_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED)
        if death in done:
            raise death.result().obituary()
        if ready not in done:
            raise FaultError("NOT_SERVING", f"MLServer is not serving after {_START_TIMEOUT_S:.0f} s")
    finally:
        for task in (ready, death):
            task.cancel()
        await asyncio.gather(ready, death, return_exceptions=True)


async def _until_ready(address: str) -> None:
    async with grpc.aio.insecure_channel(address, [("grpc.max_reconnect_backoff_ms", 200)]) as channel:
        stub: Any = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        request = service_pb2.ModelReadyRequest(name=FULL_MODEL)
        while True:
            try:
                if (await stub.ModelReady(request, timeout=2.0)).ready:
                    return
            except grpc.aio.AioRpcError:
                pass
            await asyncio.sleep(_POLL_S)
