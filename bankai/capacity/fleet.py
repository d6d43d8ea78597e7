"""Pods of one workload in a simulation: they start, get found, and are scaled as Kubernetes would."""

from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import simpy

from bankai.capacity.autoscaler import SYNC_S, Usage
from bankai.capacity.cluster import Workload

Event = Generator[simpy.Event, Any, None]
DNS_S = 5.0
"""A gateway, and the edge, ask DNS every five seconds at most."""
CONNECT_S = 2.0


@dataclass(frozen=True)
class Load:
    """What its metrics would say of a workload.

    Attributes:
        cores: Cores in use, of all its pods.
        in_flight: Calls in flight, of all its pods.
        waits: Seconds that a request waits for a model, by model.
    """

    cores: float
    in_flight: float
    waits: dict[str, float]


class Fleet:
    """Pods of one workload.

    Args:
        env: The simulation.
        workload: What the manifests say of it.
        start_s: Seconds from being wanted until the process serves.
        scrape_s: How old metrics may be.

    Attributes:
        wanted: How many there are to be.
        ready: How many are ready.
        serving: How many get work.
    """

    def __init__(self, env: simpy.Environment, workload: Workload, *, start_s: float, scrape_s: float) -> None:
        self._env, self.workload = env, workload
        self._start_s, self._samples = start_s, max(1, round(2 * scrape_s / SAMPLE_S))
        self.wanted = self.ready = self.serving = workload.least
        self._loads: deque[Load] = deque(maxlen=self._samples)
        self._scaler = workload.autoscaler()

    def sampled(self, load: Load) -> None:
        """Notes what its metrics would say now; every SAMPLE_S."""
        self._loads.append(load)

    def scaled(self, changed: Callable[[], None]) -> Event:
        """Goes on scaling it.

        Args:
            changed: Called when pods have come or gone.
        """
        while self.workload.targets:
            yield self._env.timeout(SYNC_S)
            if self._loads:
                wanted = self._scaler.decide(self._env.now, self.wanted, self._usages())
                self._scale(wanted, changed)

    def _scale(self, wanted: int, changed: Callable[[], None]) -> None:
        for _ in range(wanted - self.wanted):
            self._env.process(self._start(changed))
        self.wanted = wanted
        if wanted < self.serving:
            self.ready, self.serving = min(self.ready, wanted), wanted
            changed()

    def _start(self, changed: Callable[[], None]) -> Event:
        yield self._env.timeout(self._start_s + self.workload.readiness_s)
        if self.ready < self.wanted:  # else it has been called off
            self.ready += 1
            yield self._env.timeout(CONNECT_S + self._found_s())
            if self.serving < self.ready:
                self.serving += 1
                changed()

    def _found_s(self) -> float:
        """Until someone asks DNS, which is when a connection to one of the other pods has reached its age."""
        if self.workload.name == "gateway":
            return DNS_S
        return max(DNS_S, self.workload.setting("MAX_CONNECTION_AGE_S", 0.0) / self.serving)

    def _usages(self) -> list[Usage]:
        latest, missing = self._loads[0], self.wanted - self.ready  # in-flight metrics are as old as the window
        cores = sum(each.cores for each in self._loads) / len(self._loads)
        usages = []
        for target in self.workload.targets:
            match target.kind:
                case "in_flight":
                    usages.append(Usage(latest.in_flight / self.ready, target.value, missing))
                case "cpu":
                    usages.append(Usage(cores / self.ready / self.workload.cores, target.value, missing))
                case _:
                    waits = [each.waits.get(target.model, 0.0) for each in self._loads]
                    usages.append(Usage(sum(waits) / len(waits), target.value))
        return usages


SAMPLE_S = 5.0
"""How often loads are noted."""
