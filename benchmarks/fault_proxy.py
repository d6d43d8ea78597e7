"""A TCP proxy that makes a connection bad on purpose."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from bankai.loopback import HOST

_CHUNK = 1 << 16


class FaultProxy:
    """Passes bytes on to a port of this machine, as well or badly as it is told.

    Attributes:
        delay_s: Seconds by which everything is late, in both directions.
        silent: Whether bytes vanish, as they do where a cable is cut: nobody is told.
        port: Where it listens.
    """

    def __init__(self, to_port: int) -> None:
        self.delay_s = 0.0
        self.silent = False
        self.port = 0
        self._to_port = to_port
        self._refusing = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._connections: set[asyncio.Task[None]] = set()

    def cut(self) -> None:
        """Resets every connection and lets none in until `mend`."""
        self._refusing = True
        for writer in self._writers:
            writer.transport.abort()

    def mend(self) -> None:
        """Makes everything good again. Connections whose bytes have vanished are reset: they cannot go on."""
        if self.silent:
            self.cut()
        self.delay_s, self.silent, self._refusing = 0.0, False, False

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Serves within the context."""
        server = await asyncio.start_server(self._take_up, HOST)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            self.cut()
            await asyncio.gather(*self._connections)
            await asyncio.sleep(0)  # the loop closes what was aborted in its next round

    def _take_up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._connected(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            if self._refusing:
                return
            there_reader, there_writer = await asyncio.open_connection(HOST, self._to_port)
            self._writers.add(there_writer)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._pass(reader, there_writer))
                    group.create_task(self._pass(there_reader, writer))
            finally:
                self._gone(there_writer)
        except (OSError, ExceptionGroup):
            pass  # either end is gone, which the other one is told below
        finally:
            self._gone(writer)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        late: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def write() -> None:
            while True:
                due, data = await late.get()
                await asyncio.sleep(max(due - loop.time(), 0.0))
                if not self.silent:
                    writer.write(data)
                    await writer.drain()
                if not data:
                    raise ConnectionResetError  # the other direction has nobody to talk to any more

        writing = asyncio.create_task(write())
        try:
            while data := await reader.read(_CHUNK):
                late.put_nowait((loop.time() + self.delay_s, data))
            late.put_nowait((loop.time() + self.delay_s, b""))
            await writing
        finally:
            writing.cancel()
            with suppress(asyncio.CancelledError, OSError):
                await writing

    def _gone(self, writer: asyncio.StreamWriter) -> None:
        self._writers.discard(writer)
        writer.transport.abort()
