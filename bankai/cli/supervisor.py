"""Runs processes side by side: starts them, hears them, and stops them in order."""

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from bankai.errors import FaultError

LAST_LINES = 20
"""Lines of a process that are kept to explain its death."""
HEALTH_POLL_S = 0.1
CHECK_TIMEOUT_S = 2.0
START_TIMEOUT_S = 120.0
MAX_LINE_BYTES = 1 << 20

Emit = Callable[[str, str], None]
"""Takes a process's name and a line that it wrote."""


@dataclass(frozen=True)
class ProcessSpec:
    """A process to run.

    Attributes:
        name: What people call it.
        command: Its arguments, the program first.
        environment: Variables on top of ours.
        address: host:port of its gRPC health service.
        services: What must be serving before it counts as up; the empty name stands for the process as a whole.
        ca: Who signs its certificate, as PEM; None where it is asked without TLS.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    address: str
    services: Sequence[str] = ("",)
    ca: bytes | None = None


def python_module(module: str) -> list[str]:
    """The command that runs a module with this Python."""
    return [sys.executable, "-m", module]


@dataclass
class Child:
    """A process that was started."""

    spec: ProcessSpec
    process: asyncio.subprocess.Process
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=LAST_LINES))

    def fate(self) -> str:
        """How it ended."""
        code = self.process.returncode or 0
        return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

    def obituary(self) -> FaultError:
        """What to tell of a process that ended without being asked to."""
        lines = "".join(f"\n  {line}" for line in self.last_lines) or " it had printed nothing"
        return FaultError("PROCESS_DIED", f"{self.spec.name} {self.fate()}; its last lines:{lines}")


class Supervisor:
    """Runs processes until told to stop. Restarts nothing: a process that dies is for its user to know of.

    Use as an async context manager; whatever still runs at its end is killed.

    Args:
        specs: The processes, in the order in which they are to be stopped.
        emit: Hears every line that they write.
    """

    def __init__(self, specs: Sequence[ProcessSpec], emit: Emit) -> None:
        self._specs = specs
        self._emit = emit
        self._children: list[Child] = []
        self._listeners: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        for spec in self._specs:
            process = await asyncio.create_subprocess_exec(
                *spec.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env={**os.environ, **spec.environment},
                limit=MAX_LINE_BYTES,
                # A terminal sends Ctrl-C to its whole process group; only we may hear it, to stop in order.
                process_group=0,
            )
            child = Child(spec, process)
            self._children.append(child)
            self._listeners.append(asyncio.create_task(self._listen(child)))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.kill()
        await asyncio.gather(*(child.process.wait() for child in self._children), *self._listeners)

    async def started(self) -> None:
        """Returns once every process serves all that it should.

        Raises:
            FaultError: PROCESS_DIED, with the last lines of a process that ended instead, or NOT_SERVING after
                START_TIMEOUT_S.
        """
        late = {spec.name for spec in self._specs}

        async def serves(spec: ProcessSpec) -> None:
            await _until_serving(spec)
            late.discard(spec.name)

        async def all_serve() -> None:
            async with asyncio.timeout(START_TIMEOUT_S), asyncio.TaskGroup() as group:
                for spec in self._specs:
                    group.create_task(serves(spec))

        healthy, death = asyncio.create_task(all_serve()), asyncio.create_task(self.first_death())
        try:
            await asyncio.wait((healthy, death), return_when=asyncio.FIRST_COMPLETED)
            if death.done():
                raise death.result().obituary()
            healthy.result()
        except TimeoutError:
            names = " and ".join(sorted(late))
            raise FaultError("NOT_SERVING", f"{names} is not serving after {START_TIMEOUT_S:.0f} s") from None
        finally:
            await _cancelled(healthy, death)

    async def first_death(self) -> Child:
        """Returns the first process that ends, after its last words were heard."""
        waits = {asyncio.create_task(child.process.wait()): child for child in self._children}
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _cancelled(*waits)
        child = waits[done.pop()]
        await self._listeners[self._children.index(child)]
        return child

    async def drain(self) -> None:
        """Asks one process after the other to finish its work and end, and waits for it."""
        for child in self._children:
            self._signal(child, signal.SIGTERM)
            await child.process.wait()
        await asyncio.gather(*self._listeners)

    def kill(self) -> None:
        """Ends everything at once."""
        for child in self._children:
            self._signal(child, signal.SIGKILL)

    def unclean(self) -> list[str]:
        """How processes ended that did neither drain nor simply end on SIGTERM before they had begun to serve."""
        return [
            f"{child.spec.name} {child.fate()}"
            for child in self._children
            if child.process.returncode not in (0, -signal.SIGTERM)
        ]

    def pids(self) -> dict[str, int]:
        """Process id of each process by its name."""
        return {child.spec.name: child.process.pid for child in self._children}

    @staticmethod
    def _signal(child: Child, number: signal.Signals) -> None:
        if child.process.returncode is None:
            child.process.send_signal(number)

    async def _listen(self, child: Child) -> None:
        stream = child.process.stdout
        assert stream is not None, "stdout is a pipe"  # noqa: S101  # for the type checker
        while True:
            try:
                data = await stream.readline()
            except ValueError:  # a line over the limit, which readline has dropped
                continue
            if not data:
                return
            line = data.decode("utf-8", "replace").rstrip("\r\n")
            child.last_lines.append(line)
            self._emit(child.spec.name, line)


async def _cancelled(*tasks: asyncio.Task[Any]) -> None:
    """Cancels tasks and waits until they have ended, whatever they end with."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _until_serving(spec: ProcessSpec) -> None:
    options = [("grpc.max_reconnect_backoff_ms", 200)]
    async with (
        grpc.aio.insecure_channel(spec.address, options)
        if spec.ca is None
        else grpc.aio.secure_channel(spec.address, grpc.ssl_channel_credentials(spec.ca), options)
    ) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        for service in spec.services:
            while not await _serving(stub, service):  # noqa: ASYNC110  # another process sets no event of ours
                await asyncio.sleep(HEALTH_POLL_S)


async def _serving(stub: Any, service: str) -> bool:
    try:
        request = health_pb2.HealthCheckRequest(service=service)
        answer: health_pb2.HealthCheckResponse = await stub.Check(request, timeout=CHECK_TIMEOUT_S)
    except grpc.aio.AioRpcError:
        return False
    return answer.status == health_pb2.HealthCheckResponse.SERVING
