"""The product under test: the gateway and the intent service as processes of their own, as `bankai up` runs them."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bankai.cli.connection import Connection
from bankai.cli.stack import plan
from bankai.cli.supervisor import ProcessSpec, Supervisor
from benchmarks.command import say

GATEWAY = "gateway"
SERVICE = "intent"


@dataclass(frozen=True)
class Product:
    """How to reach the running processes, and which they are.

    Attributes:
        gateway: The way that clients take.
        service: The way past the gateway.
        pids: Process ids by name.
    """

    gateway: Connection
    service: Connection
    pids: dict[str, int]


@asynccontextmanager
async def running() -> AsyncIterator[Product]:
    """Starts the product on free ports of the loopback, with the settings of the environment, and stops it at the end.

    Raises:
        FaultError: A process died or did not start to serve.
    """
    with tempfile.TemporaryDirectory(prefix="bankai-bench-") as state_dir:
        stack = plan(0, Path(state_dir))
        processes = [_open(process) for process in stack.processes]
        addresses = {process.name: process.address for process in processes}
        async with Supervisor(processes, lambda _name, _line: None) as supervisor:
            say("starting the gateway and the services")
            await supervisor.started()
            yield Product(stack.connection, Connection(addresses[SERVICE]), supervisor.pids())
            await supervisor.drain()


def _open(process: ProcessSpec) -> ProcessSpec:
    """The process without the gateway's keys: it takes calls from everybody, so the way past the gateway works."""
    kept = {name: value for name, value in process.environment.items() if not name.endswith("_GATEWAY_KEYS")}
    return replace(process, environment=kept)
