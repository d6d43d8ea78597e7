"""A paced load: so many phone calls at once, each with an utterance every few seconds.

An open loop: what is due is sent whether or not the last question was answered, so a slow answer hides no other.
"""

import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import grpc
import uvloop

from bankai.errors import BankaiError
from benchmarks.callers import Caller, Dial, Target, line
from benchmarks.load import Load, Meter

_HINTS = ((1 / 3, 1.0), (2 / 3, 0.5))
"""Parts of an utterance that are sent before it: which share of its characters, and how many seconds before."""


@dataclass(frozen=True)
class PacedLoad:
    """What to do.

    Attributes:
        target: What is asked.
        texts: What is said, again and again.
        calls: Calls at the same time; when one ends, the next begins.
        period_s: Mean seconds between the utterances of a call.
        turns: Utterances of a call; the first calls are shorter, as if they had begun before.
        hints: Whether two parts of each utterance are sent before it.
        warm_up_s: Seconds before it counts.
        seconds: Seconds that count.
        pids: Processes whose CPU time is of interest, by name.
    """

    target: Target
    texts: Sequence[str]
    calls: int
    period_s: float
    turns: int
    hints: bool
    warm_up_s: float
    seconds: float
    pids: Mapping[str, int]


@dataclass
class PacedResult:
    """What came of it.

    Attributes:
        finals: The utterances.
        late: Seconds by which the generator sent each utterance too late.
        hints_sent: Parts sent.
        hints: Seconds that the answers to parts took; a part that newer text overtook has none.
        calls: Calls that were made.
        broken: Calls that did not end with a summary, by what happened.
    """

    finals: Load = field(default_factory=Load)
    late: list[float] = field(default_factory=list)
    hints_sent: int = 0
    hints: list[float] = field(default_factory=list)
    calls: int = 0
    broken: Counter[str] = field(default_factory=Counter)


def paced(plan: PacedLoad) -> PacedResult:
    """Runs it; takes over this process's event loop."""
    return uvloop.run(_run(plan))


async def _run(plan: PacedLoad) -> PacedResult:
    async with line(plan.target) as dial:
        return await pace(plan, dial)


async def pace(plan: PacedLoad, dial: Dial) -> PacedResult:
    """Runs it on callers made elsewhere."""
    run = _Run(plan, dial)
    await run.all()
    return run.result


class _Run:
    def __init__(self, plan: PacedLoad, dial: Dial) -> None:
        self._plan = plan
        self._dial = dial
        self._texts = itertools.cycle(plan.texts)
        self._now = asyncio.get_running_loop().time
        self._counts_from = self._now() + plan.warm_up_s
        self._ends = self._counts_from + plan.seconds
        self._warming = Load()
        self.result = PacedResult()

    async def all(self) -> None:
        """Everything, until the last answer."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._measure())
            for number in range(self._plan.calls):
                group.create_task(self._line(random.Random(number)))

    async def _measure(self) -> None:
        await self._until(self._counts_from)
        meter = Meter(self.result.finals, self._plan.pids)
        await self._until(self._ends)
        meter.stop()

    async def _line(self, rng: random.Random) -> None:
        """Call after call."""
        await asyncio.sleep(rng.uniform(0, self._plan.period_s))
        turns = rng.randint(1, self._plan.turns)
        while self._now() < self._ends:
            self.result.calls += 1
            try:
                async with self._dial() as caller:
                    await self._talk(caller, turns, rng)
            except grpc.aio.AioRpcError as error:
                await self._broken(error.code().name)
            except BankaiError as error:
                await self._broken(error.reason)
            except TimeoutError:
                await self._broken("TIMEOUT")
            turns = self._plan.turns

    async def _broken(self, what: str) -> None:
        self.result.broken[what] += 1
        await asyncio.sleep(self._plan.period_s)

    async def _talk(self, caller: Caller, turns: int, rng: random.Random) -> None:
        due = self._now()
        async with asyncio.TaskGroup() as waiting:
            for _ in range(turns):
                due += self._plan.period_s * rng.uniform(0.75, 1.25)
                if due >= self._ends:
                    await self._until(self._ends)
                    return
                text = next(self._texts)
                for share, before in _HINTS if self._plan.hints else ():
                    await self._until(due - before)
                    waiting.create_task(self._hint(caller, text[: max(1, round(len(text) * share))], due))
                await self._until(due)
                counts = due >= self._counts_from
                if counts:
                    self.result.late.append(self._now() - due)
                load = self.result.finals if counts else self._warming
                waiting.create_task(load.count(caller.ask(text)))

    async def _hint(self, caller: Caller, part: str, due: float) -> None:
        began = time.perf_counter()
        answered = False
        with suppress(grpc.aio.AioRpcError, BankaiError, TimeoutError):  # a broken call is counted where it ends
            answered = await caller.hint(part)
        if due >= self._counts_from:
            self.result.hints_sent += 1
            if answered:
                self.result.hints.append(time.perf_counter() - began)

    async def _until(self, moment: float) -> None:
        await asyncio.sleep(moment - self._now())
