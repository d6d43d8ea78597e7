import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from benchmarks.fault_proxy import FaultProxy


@pytest.fixture
async def proxy() -> AsyncIterator[FaultProxy]:
    """In front of a server that says back what it hears."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(1000):
                writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1")
    proxy = FaultProxy(server.sockets[0].getsockname()[1])
    async with proxy.listening():
        yield proxy
    server.close()
    await asyncio.sleep(0.05)


class Line:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def hears(self, said: bytes, wait_s: float = 5.0) -> bytes:
        self.writer.write(said)
        async with asyncio.timeout(wait_s):
            return await self.reader.read(1000)

    async def is_dead(self) -> bool:
        try:
            return await self.hears(b"?") == b""
        except ConnectionError:
            return True
        finally:
            self.writer.close()


async def dialled(proxy: FaultProxy) -> Line:
    return Line(*await asyncio.open_connection("127.0.0.1", proxy.port))


async def test_it_passes_bytes_on(proxy: FaultProxy) -> None:
    line = await dialled(proxy)
    assert await line.hears(b"one") == b"one"
    line.writer.close()


async def test_it_makes_them_late_both_ways(proxy: FaultProxy) -> None:
    line = await dialled(proxy)
    proxy.delay_s = 0.2
    began = time.monotonic()
    assert await line.hears(b"one") == b"one"
    assert time.monotonic() - began >= 0.4
    line.writer.close()


async def test_a_cut_resets_and_refuses_until_mended(proxy: FaultProxy) -> None:
    line = await dialled(proxy)
    await line.hears(b"one")
    proxy.cut()
    for each in (line, await dialled(proxy)):
        assert await each.is_dead()
    proxy.mend()
    line = await dialled(proxy)
    assert await line.hears(b"three") == b"three"
    line.writer.close()


async def test_silence_is_told_to_nobody(proxy: FaultProxy) -> None:
    line = await dialled(proxy)
    await line.hears(b"one")
    proxy.silent = True
    with pytest.raises(TimeoutError):
        await line.hears(b"two", wait_s=0.3)
    proxy.mend()
    assert await line.is_dead()
