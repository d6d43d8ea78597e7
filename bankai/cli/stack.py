"""What `bankai up` and `bankai demo` run: the gateway and every capability's service, wired to each other."""

import itertools
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bankai.cli.connection import Connection
from bankai.cli.developer import console_key, developer_key, gateway_settings, vouching_keys
from bankai.cli.registry import CAPABILITIES
from bankai.cli.supervisor import ProcessSpec, python_module
from bankai.loopback import HOST, free_ports

KEYS_VARIABLE = "BANKAI_GATEWAY_KEYS_FILE"
HTTP_VARIABLE = "BANKAI_GATEWAY_HTTP__LISTEN"
VOUCHING_VARIABLE = "BANKAI_GATEWAY_VOUCHING_KEY"
CONSOLE_VARIABLE = "BANKAI_GATEWAY_CONSOLE__KEY"


@dataclass(frozen=True)
class Stack:
    """Processes that make up a running product.

    Attributes:
        connection: How to reach it, with the developer's key; without a key where the environment names a file of keys.
        http: host:port where it speaks JSON; empty where the environment turns that off.
        key_file: File that holds the developer's key; None where the environment names a file of keys.
        console_key: File of the key that seals the console's sessions; None where the environment names one.
        processes: The gateway first: it must go first.
    """

    connection: Connection
    http: str
    key_file: Path | None
    console_key: Path | None
    processes: Sequence[ProcessSpec]

    def console_login(self) -> str | None:
        """Address of the console, with a login for the developer that is good once; None where it is not ours."""
        from gateway.console.keys import read_key
        from gateway.console.sessions import Sessions
        from gateway.console.settings import ConsoleSettings

        if not self.http or self.console_key is None or self.connection.api_key is None:
            return None
        login = Sessions(read_key(self.console_key), ConsoleSettings()).login(self.connection.api_key)
        return f"http://{self.http}/console/#login={login}"


@dataclass(frozen=True)
class Inference:
    """Where the models run, where that is not left to the services' own settings.

    Attributes:
        models_dir: The model repository.
        triton: host:port of a Triton that serves it.
    """

    models_dir: Path | None = None
    triton: str | None = None

    def settings(self, capability: str) -> dict[str, str]:
        """The variables that tell a capability's service."""
        told: dict[str, str | None] = {
            "MODELS_DIR": str(self.models_dir.resolve()) if self.models_dir else None,
            "BACKEND": "triton" if self.triton else None,
            "TRITON_URL": self.triton,
        }
        return {f"BANKAI_{capability.upper()}_INFERENCE__{name}": value for name, value in told.items() if value}


def plan(port: int, state_dir: Path, inference: Inference = Inference(), *, console_logs: bool = False) -> Stack:
    """Decides what to run. Settings in the environment stay as they are where this does not need to say otherwise.

    Args:
        port: Port of the gateway, which speaks JSON on the next one; 0 picks free ports for everything.
        state_dir: Where the developer's API key and the services' state are kept.
        inference: Where the models run.
        console_logs: Whether the logs are for people and not for machines.

    Raises:
        OSError: The folder cannot be written.
    """
    ports = free_ports(2 + len(CAPABILITIES)) if port == 0 else _ports(port)
    addresses = [f"{HOST}:{each}" for each in ports]
    key, key_file = None, None
    gateway = _settings("gateway", addresses[0], console_logs=console_logs) | gateway_settings(state_dir)
    http = gateway[HTTP_VARIABLE] = os.environ.get(HTTP_VARIABLE, addresses[1])
    if KEYS_VARIABLE not in os.environ:
        key, key_file, keys_file = developer_key(state_dir)
        gateway[KEYS_VARIABLE] = str(keys_file)
    vouching = vouching_keys(state_dir) if VOUCHING_VARIABLE not in os.environ else None
    if vouching is not None:
        gateway[VOUCHING_VARIABLE] = str(vouching[0])
    own_console_key = console_key(state_dir) if CONSOLE_VARIABLE not in os.environ else None
    if own_console_key is not None:
        gateway[CONSOLE_VARIABLE] = str(own_console_key)
    routes: dict[str, str] = {}
    processes = []
    for capability, address in zip(CAPABILITIES, addresses[2:], strict=True):
        settings = _settings(capability.name, address, console_logs=console_logs)
        settings |= inference.settings(capability.name)
        folder = f"BANKAI_{capability.name.upper()}_{capability.folder}"
        if capability.folder and folder not in os.environ:
            settings[folder] = str((state_dir / capability.name).resolve())
        if vouching is not None:
            settings[f"BANKAI_{capability.name.upper()}_GATEWAY_KEYS"] = str(vouching[1])
        command = python_module(f"services.{capability.name}")
        processes.append(ProcessSpec(capability.name, command, settings, address, ("", *capability.services)))
        routes |= dict.fromkeys(capability.services, f"ipv4:{address}")
    gateway["BANKAI_GATEWAY_ROUTES"] = json.dumps(routes)
    # The gateway counts as up once it reaches every service, so that the first call finds its way.
    processes.insert(0, ProcessSpec("gateway", python_module("gateway"), gateway, addresses[0], ("", *routes)))
    return Stack(Connection(addresses[0], key), http, key_file, own_console_key, processes)


def _ports(port: int) -> list[int]:
    """The gateway's port, the next one that is free of services for JSON, and the services' own."""
    own = [each.port for each in CAPABILITIES]
    return [port, next(each for each in itertools.count(port + 1) if each not in own), *own]


def _settings(process: str, address: str, *, console_logs: bool) -> dict[str, str]:
    """What every process is told."""
    prefix = f"BANKAI_{process.upper()}_"
    settings = {f"{prefix}SERVER__LISTEN": address, "PYTHONUNBUFFERED": "1"}
    if console_logs and f"{prefix}LOG__FORMAT" not in os.environ:
        settings[f"{prefix}LOG__FORMAT"] = "console"
    return settings
