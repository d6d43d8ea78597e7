"""A process that is killed, stopped and restarted on purpose, behind a connection that can be made bad."""

import asyncio
import os
import signal
from contextlib import AsyncExitStack
from typing import Self

from bankai.cli.supervisor import ProcessSpec, Supervisor
from benchmarks.fault_proxy import FaultProxy

_SLICE_S = 0.05
_RUNNING_SHARE = 0.2


class Replica:
    """One of several processes that serve the same. An async context manager: entering starts it.

    Args:
        spec: The process.
    """

    def __init__(self, spec: ProcessSpec) -> None:
        self.proxy = FaultProxy(int(spec.address.rpartition(":")[2]))
        self._spec = spec
        self._stack = AsyncExitStack()
        self._run = AsyncExitStack()
        self._supervisor: Supervisor | None = None

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.proxy.listening())
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._run.aclose()
        await self._stack.aclose()

    async def start(self) -> None:
        """Starts the process, and waits until it serves."""
        supervisor = Supervisor((self._spec,), lambda _name, _line: None)
        self._supervisor = await self._run.enter_async_context(supervisor)
        await supervisor.started()

    async def kill(self) -> None:
        """Ends the process with SIGKILL."""
        await self._run.aclose()
        self._run = AsyncExitStack()

    async def restart(self) -> None:
        """Ends the process with SIGTERM, and starts it again once it has finished its work."""
        await self._running().drain()
        await self.kill()
        await self.start()

    def pause(self) -> None:
        """Stops the process, connections open, with SIGSTOP."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Lets it go on with SIGCONT."""
        self._signal(signal.SIGCONT)

    async def slow_down(self) -> None:
        """Lets the process run a fifth of the time, until cancelled."""
        try:
            while True:
                self.pause()
                await asyncio.sleep(_SLICE_S * (1 - _RUNNING_SHARE))
                self.resume()
                await asyncio.sleep(_SLICE_S * _RUNNING_SHARE)
        finally:
            self.resume()

    def _signal(self, number: signal.Signals) -> None:
        os.kill(self._running().pids()[self._spec.name], number)

    def _running(self) -> Supervisor:
        if self._supervisor is None:
            raise RuntimeError("the process was never started")
        return self._supervisor
