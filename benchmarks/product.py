"""The product under test: the gateway and the intent service as processes of their own, as `bankai up` runs them."""

import json
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
_INTENT = "bankai.intent.v1.IntentService"


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
        processes = [_measured(process) for process in stack.processes if process.name in (GATEWAY, SERVICE)]
        addresses = {process.name: process.address for process in processes}
        async with Supervisor(processes, lambda _name, _line: None) as supervisor:
            say("starting the gateway and the services")
            await supervisor.started()
            yield Product(stack.connection, Connection(addresses[SERVICE]), supervisor.pids())
            await supervisor.drain()


def _measured(process: ProcessSpec) -> ProcessSpec:
    """The process as it is measured: without the other services, and with a way past the gateway.

    Without the gateway's keys, the service takes calls from everybody.
    """
    environment = {name: value for name, value in process.environment.items() if not name.endswith("_GATEWAY_KEYS")}
    services = [service for service in process.services if not service or service == _INTENT]
    if process.name == GATEWAY:
        routes = json.loads(environment["BANKAI_GATEWAY_ROUTES"])
        environment["BANKAI_GATEWAY_ROUTES"] = json.dumps({_INTENT: routes[_INTENT]})
    return replace(process, environment=environment, services=services)
