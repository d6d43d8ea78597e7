"""A closed loop: so many callers, each asking again as soon as it is answered."""

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import uvloop

from benchmarks.callers import Caller, Target, line
from benchmarks.load import Load, Meter


@dataclass(frozen=True)
class ClosedLoop:
    """What to do.

    Attributes:
        target: What is asked.
        texts: What is asked for, again and again.
        callers: How many ask at the same time.
        warm_up_s: Seconds before it counts.
        seconds: Seconds that count.
        pids: Processes whose CPU time is of interest, by name.
    """

    target: Target
    texts: Sequence[str]
    callers: int
    warm_up_s: float
    seconds: float
    pids: Mapping[str, int]


def closed_loop(plan: ClosedLoop) -> Load:
    """Runs it; takes over this process's event loop."""
    return uvloop.run(_run(plan))


async def _run(plan: ClosedLoop) -> Load:
    texts = itertools.cycle(plan.texts)
    load = Load()
    running = True

    async def keep_asking(caller: Caller) -> None:
        while running:
            await load.count(caller.ask(next(texts)))

    async with AsyncExitStack() as stack:
        dial = await stack.enter_async_context(line(plan.target))
        callers = [await stack.enter_async_context(dial()) for _ in range(plan.callers)]
        tasks = [asyncio.create_task(keep_asking(caller)) for caller in callers]
        await asyncio.sleep(plan.warm_up_s)
        meter, before = Meter(load, plan.pids), len(load.durations)
        await asyncio.sleep(plan.seconds)
        meter.stop()
        durations = load.durations[before:]
        running = False
        await asyncio.gather(*tasks)
    # What was answered while it counted; a failure counts whenever it was.
    load.durations = durations
    load.sent = len(durations) + load.failures.total()
    return load
