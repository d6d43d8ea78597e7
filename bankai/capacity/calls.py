"""Phone calls on one gateway and one intent process, event by event.

A final segment passes the gateway's event loop, the event loop of intent, one of the threads that run the model, and
both loops again. Each of these does one thing at a time and needs one of the machine's cores meanwhile. Partial
segments pass the loops alone: their model takes 0.03 ms.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

import simpy

Event = Generator[simpy.Event, Any, None]


@dataclass(frozen=True)
class CallCosts:
    """CPU of one segment, in seconds.

    Attributes:
        gateway: Of a final segment and its answer, at the gateway.
        loop: Of a final segment in the event loop of intent.
        model: Of a final segment in a thread that runs the model.
        gateway_partial: Of a partial segment at the gateway.
        loop_partial: Of a partial segment in the event loop of intent.
        others: Of a final segment in other processes of the same machine, such as a load generator.
        others_partial: Of a partial segment there.
        together: Share of these that is left, by process, of a segment that finds another one at its place: what comes
            together is read, run and written together.
    """

    gateway: float
    loop: float
    model: float
    gateway_partial: float = 0.0
    loop_partial: float = 0.0
    others: float = 0.0
    others_partial: float = 0.0
    together: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class CallLoad:
    """What callers do.

    Attributes:
        calls: Calls at once.
        period_s: Mean seconds between a call's final segments.
        partials: Partial segments before each final one.
        seconds: How long it is watched, after a period and a tenth of that to warm up.
    """

    calls: int
    period_s: float = 4.0
    partials: int = 0
    seconds: float = 30.0


@dataclass
class CallOutcome:
    """What came of it.

    Attributes:
        seconds: How long it was watched.
        arrived: Final segments.
        waits: Seconds from each one's arrival to its answer.
        waiting: Those without an answer at the end.
        busy: CPU seconds by process: gateway, intent, others.
    """

    seconds: float
    arrived: int = 0
    waits: list[float] = field(default_factory=list)
    waiting: int = 0
    busy: dict[str, float] = field(default_factory=lambda: {"gateway": 0.0, "intent": 0.0, "others": 0.0})

    def cores(self, process: str) -> float:
        """Cores that a process used on average."""
        return self.busy[process] / self.seconds


def simulate(load: CallLoad, costs: CallCosts, *, cores: int, threads: int = 2, seed: int = 0) -> CallOutcome:
    """Lets calls talk for a while.

    Args:
        load: What callers do.
        costs: What it costs.
        cores: Cores that all processes share.
        threads: Runs of the model at the same time (`count` of its instance group).
        seed: Of chance.
    """
    return _Machine(load, costs, cores, threads, seed).run()


class _Machine:
    def __init__(self, load: CallLoad, costs: CallCosts, cores: int, threads: int, seed: int) -> None:
        self._load, self._costs, self._random = load, costs, Random(seed)  # noqa: S311
        self._env = simpy.Environment()
        self._cores = simpy.Resource(self._env, cores)
        self._gateway = simpy.Resource(self._env, 1)
        self._loop = simpy.Resource(self._env, 1)
        self._model = simpy.Resource(self._env, threads)
        self._others = simpy.Resource(self._env, 1)
        self._from = load.period_s + load.seconds / 10
        self._until = self._from + load.seconds
        self._outcome = CallOutcome(load.seconds)

    def run(self) -> CallOutcome:
        for _ in range(self._load.calls):
            self._env.process(self._call())
        self._env.run(until=self._until)
        self._outcome.waiting = self._outcome.arrived - len(self._outcome.waits)
        return self._outcome

    def _call(self) -> Event:
        yield self._env.timeout(self._random.uniform(0, self._load.period_s))
        while True:
            for _ in range(self._load.partials):
                self._env.process(self._partial())
                yield self._env.timeout(self._pause())
            self._env.process(self._final())
            yield self._env.timeout(self._pause())

    def _pause(self) -> float:
        return self._load.period_s / (1 + self._load.partials) * self._random.uniform(0.75, 1.25)

    def _partial(self) -> Event:
        yield from self._work(self._others, "others", self._costs.others_partial)
        yield from self._work(self._gateway, "gateway", self._costs.gateway_partial)
        yield from self._work(self._loop, "intent", self._costs.loop_partial)

    def _final(self) -> Event:
        came, counts = self._env.now, self._env.now >= self._from
        self._outcome.arrived += counts
        costs = self._costs
        yield from self._work(self._others, "others", costs.others / 2)
        yield from self._work(self._gateway, "gateway", costs.gateway / 2)
        yield from self._work(self._loop, "intent", costs.loop / 2)
        yield from self._work(self._model, "intent", costs.model)
        yield from self._work(self._loop, "intent", costs.loop / 2)
        yield from self._work(self._gateway, "gateway", costs.gateway / 2)
        yield from self._work(self._others, "others", costs.others / 2)
        if counts:
            self._outcome.waits.append(self._env.now - came)

    def _work(self, place: simpy.Resource, process: str, mean_s: float) -> Event:
        """Takes its turn at a place, then a core, and works for a time that varies as texts do."""
        if not mean_s:
            return
        if place.count:
            mean_s *= self._costs.together.get(process, 1.0)
        with place.request() as turn:
            yield turn
            with self._cores.request() as core:
                yield core
                began = max(self._env.now, self._from)
                yield self._env.timeout(self._random.gammavariate(_SHAPE, mean_s / _SHAPE))
                self._outcome.busy[process] += max(0.0, self._env.now - began)


_SHAPE = 4.0
"""Of the gamma distribution of times: a coefficient of variation of a half."""
