"""What callers notice when one of two replicas fails: errors, gaps, and never a wrong answer.

A real gateway stands before two replicas of the intent service (of the tests' toy with --toy), with policy, limits in
Redis, answers to idempotency keys in PostgreSQL and audit log. It has a steady load of unary calls, of which every
fourth is made twice under one idempotency key, and of streams. One fault after the other, each with its own
measurement: for the first fifth of the time all is well, then the fault begins, and it ends after three fifths.

none       nothing happens
kill       a replica is killed with SIGKILL, and started again
stop       a replica is stopped with SIGSTOP, connections open, and goes on
slow       a replica runs a fifth of the time
cut        a replica's connections are reset, and new ones refused
silent     a replica's bytes vanish, and nobody is told
delay      a replica's bytes come 300 ms late
restart    all replicas are restarted, one after the other, with SIGTERM
redis      Redis is killed with SIGKILL, and started again, empty
postgres   PostgreSQL is killed with SIGKILL, and started again
disk       the gateway can write no file, as on a disk that is full
expire     the gateway's certificate ends: at first its clients stay connected, then they have to come again

Exit code 1: an answer was not its question's, a stream had forgotten what it had answered, or an error was none of
UNAVAILABLE, DEADLINE_EXCEEDED and RESOURCE_EXHAUSTED. Calls of streams are kept in the Redis that is killed: there they
may be forgotten, which is counted and not judged.
"""

import argparse
import asyncio
import itertools
import json
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import grpc

from bankai.background import beside
from bankai.cli.supervisor import ProcessSpec
from bankai.errors import BankaiError
from bankai.loopback import HOST, free_ports
from bankai.status import from_rpc_error
from benchmarks.command import Report, arguments, run, say
from benchmarks.fault_gateway import Redis, Scene, running
from benchmarks.fault_subjects import IntentSubject, Metadata, Subject, ToySubject
from benchmarks.replica import Replica
from benchmarks.statistics import milliseconds

NAME = "faults"
ALLOWED = {"UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED"}
_DELAY_S = 0.3
_TIMEOUT_S = 2.0
_HEDGE_AFTER_S = 0.1
_STREAMS = 8
_STREAM_PERIOD_S = 0.25
_MESSAGES = 20
_BACK_OFF_S = 0.2
_RUN = secrets.token_hex(8)
# The gateway tries again every two seconds; a roll-out that goes on faster leaves it without any pod.
_CONNECTED_AGAIN_S = 4.0

Fault = Callable[[Scene, float], Awaitable[None]]
"""Makes something go wrong for so many seconds, and mends it."""


async def _none(_scene: Scene, seconds: float) -> None:
    await asyncio.sleep(seconds)


async def _kill(scene: Scene, seconds: float) -> None:
    await scene.replicas[0].kill()
    await asyncio.sleep(seconds)
    await scene.replicas[0].start()


async def _stop(scene: Scene, seconds: float) -> None:
    scene.replicas[0].pause()
    try:
        await asyncio.sleep(seconds)
    finally:
        scene.replicas[0].resume()


async def _slow(scene: Scene, seconds: float) -> None:
    async with beside(scene.replicas[0].slow_down()):
        await asyncio.sleep(seconds)


async def _cut(scene: Scene, seconds: float) -> None:
    scene.replicas[0].proxy.cut()
    await asyncio.sleep(seconds)
    scene.replicas[0].proxy.mend()


async def _silent(scene: Scene, seconds: float) -> None:
    scene.replicas[0].proxy.silent = True
    await asyncio.sleep(seconds)
    scene.replicas[0].proxy.mend()


async def _delay(scene: Scene, seconds: float) -> None:
    scene.replicas[0].proxy.delay_s = _DELAY_S
    await asyncio.sleep(seconds)
    scene.replicas[0].proxy.mend()


async def _restart(scene: Scene, seconds: float) -> None:
    for replica in scene.replicas:
        await replica.restart()
        await asyncio.sleep(max(seconds / len(scene.replicas), _CONNECTED_AGAIN_S))


async def _redis(scene: Scene, seconds: float) -> None:
    await asyncio.to_thread(scene.redis.kill)
    await asyncio.sleep(seconds)
    await asyncio.to_thread(scene.redis.start)


async def _postgres(scene: Scene, seconds: float) -> None:
    await asyncio.to_thread(scene.postgres.kill)
    await asyncio.sleep(seconds)
    await asyncio.to_thread(scene.postgres.start)


async def _disk(scene: Scene, seconds: float) -> None:
    with scene.full_disk():
        await asyncio.sleep(seconds)


async def _expire(scene: Scene, seconds: float) -> None:
    scene.certificate.renew(timedelta(seconds=seconds / 4))
    scene.front.cut()  # so that all clients have seen it
    scene.front.mend()
    await asyncio.sleep(seconds / 2)
    scene.front.cut()
    scene.front.mend()
    await asyncio.sleep(seconds / 2)
    scene.certificate.renew()


FAULTS: dict[str, Fault] = {
    "none": _none,
    "kill": _kill,
    "stop": _stop,
    "slow": _slow,
    "cut": _cut,
    "silent": _silent,
    "delay": _delay,
    "restart": _restart,
    "redis": _redis,
    "postgres": _postgres,
    "disk": _disk,
    "expire": _expire,
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

    def broken(self, *, forgetting: bool) -> bool:
        """Whether a promise was not kept.

        Args:
            forgetting: Whether what was answered may be forgotten, as where the store of it is killed.
        """
        return bool(self.wrong or (self.lost and not forgetting)) or any(
            name.split("/")[0] not in ALLOWED for _, name in self.errors
        )


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
    redis = Redis()
    redis.start()
    try:
        async with AsyncExitStack() as stack:
            subject: Subject = ToySubject() if options.toy else IntentSubject(redis.url)
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bankai-faults-")))
            ports = free_ports(2)
            replicas = [await stack.enter_async_context(Replica(_spec(subject, port))) for port in ports]
            scene, channel, metadata = await stack.enter_async_context(running(subject, replicas, redis, folder))
            await subject.prepare(channel, metadata)
            reports, broken = {}, []
            for name in options.faults:
                outcomes, reports[name] = await _with_fault(FAULTS[name], subject, scene, (channel, metadata), options)
                if any(outcome.broken(forgetting=name == "redis") for outcome in outcomes):
                    broken.append(name)
                say(f"{name}: {json.dumps(reports[name])}")
    finally:
        redis.kill()
    return {"toy": options.toy, "seconds": options.seconds, "faults": reports, "broken": broken}


async def _with_fault(
    fault: Fault,
    subject: Subject,
    scene: Scene,
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
        await fault(scene, options.seconds * 2 / 5)
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
            asking = _keyed(subject, way, number) if number % 4 == 0 else subject.ask(*way, number, _TIMEOUT_S)
            group.create_task(outcome.count(asking))
            number += 1
            await asyncio.sleep(1 / rate)


async def _keyed(subject: Subject, way: tuple[grpc.aio.Channel, Metadata], number: int) -> bool:
    """Makes one call twice under one idempotency key; returns whether both were answered right."""
    channel, metadata = way
    keyed = (*metadata, ("idempotency-key", f"{_RUN}-{number}"))
    both = (subject.ask(channel, keyed, number, _TIMEOUT_S) for _ in range(2))
    return all(await asyncio.gather(*both))


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


if __name__ == "__main__":
    main()
