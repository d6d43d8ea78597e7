"""Fuzzes the running product through its gateway, as an attacker on the bank's network would.

Malformed HTTP/2 connections, metadata and messages; after every batch a good call must be answered. Fails where a
process dies, hangs, logs a traceback, or where an answer's status says that something broke inside (INTERNAL, UNKNOWN,
DATA_LOSS).

    python -m tests.fuzz.gateway --frames 200000 --calls 20000
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import grpc
import psutil

from bankai.cli.connection import Connection
from bankai.cli.stack import plan
from bankai.cli.supervisor import Supervisor
from bankai.doc_extract.v1 import doc_extract_pb2
from bankai.intent.v1 import intent_pb2
from bankai.progress.v1 import progress_pb2
from tests.fuzz.http2 import session
from tests.fuzz.messages import Method, messages, method_of

_AT_ONCE = 50
_FRAMES_EACH = 40
_CALLS_EACH = 1000
_CONNECTION_S = 0.5
_CALL_S = 10.0
_BROKEN = {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.DATA_LOSS}
_GONE = "cygrpc.ExecuteBatchError"
_TRACEBACK = 12
_GOOD = "/bankai.intent.v1.IntentService/Classify"


def all_methods() -> list[Method]:
    """Every method of the product's services."""
    files = (intent_pb2, doc_extract_pb2, progress_pb2)
    return [
        method_of(method)
        for file in files
        for service in file.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    ]


class Fuzz:
    """One run against a product that is up.

    Args:
        connection: The gateway.
        seed: Where randomness begins.
    """

    def __init__(self, connection: Connection, seed: int) -> None:
        self._connection = connection
        self._chance = random.Random(seed)
        self._methods = all_methods()
        self.codes: Counter[str] = Counter()
        self.broken: Counter[str] = Counter()

    async def frames(self, count: int) -> int:
        """Sends so many frames at least; returns how many connections it took."""
        host, _, port = self._connection.address.rpartition(":")
        paths = [method.path for method in self._methods]
        connections = -(-count // _FRAMES_EACH)
        for begin in range(0, connections, _AT_ONCE):
            raw = [
                session(self._chance, paths, self._connection.api_key or "", _FRAMES_EACH)
                for _ in range(min(_AT_ONCE, connections - begin))
            ]
            await asyncio.gather(*(_send(host, int(port), each) for each in raw))
            await self.good_call()
        return connections

    async def calls(self, count: int) -> None:
        """Makes so many calls of existing methods with messages that are none, or odd."""
        async with grpc.aio.insecure_channel(self._connection.address) as channel:
            at_once = asyncio.Semaphore(_AT_ONCE)

            async def call() -> None:
                async with at_once:  # some wait for their deadline, as streams of alerts do
                    await self._call(channel)

            for begin in range(0, count, _CALLS_EACH):
                await asyncio.gather(*(call() for _ in range(min(_CALLS_EACH, count - begin))))
                await self.good_call()

    async def good_call(self) -> None:
        """A call over a connection of its own that must be answered.

        Raises:
            grpc.aio.AioRpcError: It was not.
        """
        options = (("grpc.use_local_subchannel_pool", 1),)
        async with grpc.aio.insecure_channel(self._connection.address, options) as channel:
            request = intent_pb2.ClassifyRequest(text="我要查一下余额").SerializeToString()
            call = channel.unary_unary(_GOOD, _as_is, _as_is)
            await call(request, metadata=self._connection.metadata, timeout=30)

    async def _call(self, channel: grpc.aio.Channel) -> None:
        method = self._chance.choice(self._methods)
        sent = messages(self._chance, method)
        try:
            # On the wire every call is a stream; so is this one.
            call: Any = channel.stream_stream(method.path, _as_is, _as_is)(
                iter(sent), metadata=self._connection.metadata, timeout=_CALL_S
            )
            async for _ in call:
                pass
            code = await call.code()
        except grpc.aio.AioRpcError as error:
            code = error.code()
            # Without trailers it is grpc's own word on this side, for a write that meets the end of its stream.
            if code in _BROKEN and error.trailing_metadata():
                self.broken[f"{method.path}: {code.name}: {error.details()}"] += 1
        self.codes[code.name] += 1


def _as_is(message: bytes) -> bytes:
    return message


async def _send(host: str, port: int, raw: bytes) -> None:
    """Sends bytes and reads until the server ends the connection, or nothing more comes for a while."""
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except OSError:
        return
    try:
        writer.write(raw)
        async with asyncio.timeout(_CONNECTION_S):
            await writer.drain()
            while await reader.read(65536):
                pass
    except (OSError, TimeoutError):
        pass
    finally:
        writer.close()


async def run(frames: int, calls: int, seed: int) -> list[str]:
    """Fuzzes a product of its own.

    Returns:
        What went wrong; nothing where all is well.
    """
    log: list[str] = []
    with tempfile.TemporaryDirectory(prefix="bankai-fuzz-") as folder:
        stack = plan(0, Path(folder))
        async with Supervisor(stack.processes, lambda name, line: log.append(f"{name}: {line}")) as supervisor:
            await supervisor.started()
            death = asyncio.create_task(supervisor.first_death())
            fuzz = Fuzz(stack.connection, seed)
            gateway = psutil.Process(supervisor.pids()["gateway"])
            await fuzz.good_call()
            before = gateway.memory_info().rss, gateway.num_fds()
            began = time.monotonic()
            work = asyncio.create_task(_work(fuzz, frames, calls))
            await asyncio.wait((work, death), return_when=asyncio.FIRST_COMPLETED)
            if death.done():
                work.cancel()
                return [death.result().obituary().message]
            death.cancel()
            work.result()
            await asyncio.sleep(3)  # connections that were given up are seen to be gone
            after = gateway.memory_info().rss, gateway.num_fds()
            await supervisor.drain()
    sys.stdout.write(
        f"{frames:,} frames and {calls:,} calls in {time.monotonic() - began:.0f} s, seed {seed}; statuses "
        f"{dict(fuzz.codes)}; gateway {before[0] / 2**20:.0f} to {after[0] / 2**20:.0f} MiB, {before[1]} to {after[1]} "
        "descriptors\n"
    )
    problems = [f"{what} ({count} times)" for what, count in fuzz.broken.items()]
    problems += _errors(log)[:20]
    if after[1] > before[1] + 10:
        problems.append(f"descriptors grew from {before[1]} to {after[1]}")
    return problems + supervisor.unclean()


def _errors(log: Sequence[str]) -> list[str]:
    """Lines of the processes' logs that tell of an error.

    grpc prints one traceback past every logger, which ends with ExecuteBatchError: an error could not be sent because
    its client was gone.
    """
    errors = [number for number, line in enumerate(log) if "Traceback" in line or '"level": "error"' in line]
    return [log[number] for number in errors if not any(_GONE in line for line in log[number : number + _TRACEBACK])]


async def _work(fuzz: Fuzz, frames: int, calls: int) -> None:
    await fuzz.frames(frames)
    await fuzz.calls(calls)


def main() -> None:
    """Runs the command; exits with 1 where something went wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=200_000, help="malformed frames (default: %(default)s)")
    parser.add_argument("--calls", type=int, default=20_000, help="calls with odd messages (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="where randomness begins (default: %(default)s)")
    options = parser.parse_args()
    problems = asyncio.run(run(options.frames, options.calls, options.seed))
    sys.stdout.write("".join(f"{problem}\n" for problem in problems))
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
