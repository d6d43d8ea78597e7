"""Phone calls over a day on all pods: which pod each is on, and how its utterances fare, in steps of seconds.

A call stays on its pods until it ends. Utterances are counted in parts: what a pod cannot do in a step waits there, and
what would wait longer than a final segment may is refused, as the service does.
"""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bankai.capacity.cluster import Workload
from bankai.capacity.costs import Costs
from bankai.capacity.demand import Demand

FINAL_BUDGET_S = 3.0
"""Default of BANKAI_INTENT_STREAM__FINAL_BUDGET_S."""
MAX_CONCURRENT_RPCS = 4000
"""Default of BANKAI_..._SERVER__MAX_CONCURRENT_RPCS."""
MODEL_THREADS = 2
"""`count` of the instance group in models/intent/config.pbtxt."""

Counts = NDArray[np.float64]


@dataclass
class Tally:
    """What became of a kind of work: arrived = served + waiting + refused.

    Attributes:
        arrived: How much came.
        served: How much was done.
        refused: How much was not.
        waiting: What is in between.
    """

    arrived: float = 0.0
    served: float = 0.0
    refused: float = 0.0
    waiting: float = 0.0


@dataclass
class Pods:
    """Pods of one workload that get calls, and how many each has.

    Attributes:
        calls: By pod.
        backlog: Utterances that wait, by pod.
    """

    calls: Counts
    backlog: Counts = field(default_factory=lambda: np.zeros(0))

    @classmethod
    def some(cls, pods: int) -> "Pods":
        """So many without calls."""
        return cls(np.zeros(pods), np.zeros(pods))

    def resize(self, pods: int) -> tuple[float, float]:
        """Adds empty pods, or takes the last ones away.

        Returns:
            The calls and the waiting utterances of those taken away.
        """
        left = float(self.calls[pods:].sum()), float(self.backlog[pods:].sum())
        grown = max(0, pods - len(self.calls))
        self.calls = np.append(self.calls[:pods], np.zeros(grown))
        self.backlog = np.append(self.backlog[:pods], np.zeros(grown))
        return left

    def level(self, arriving: float) -> None:
        """Gives calls to the pods that have fewest, as LEAST_REQUEST does in the long run."""
        order = np.sort(self.calls)
        for number in range(1, len(order) + 1):  # the level up to which the emptiest are filled
            level = (arriving + order[:number].sum()) / number
            if number == len(order) or level <= order[number]:
                self.calls = np.maximum(self.calls, level)
                return

    def spread(self, arriving: float) -> None:
        """Gives every pod as many calls, as round_robin does."""
        self.calls = self.calls + arriving / len(self.calls)

    def end(self, share: float) -> float:
        """Ends a share of each pod's calls; returns how many that were."""
        ended = float(self.calls.sum()) * share
        self.calls = self.calls * (1 - share)
        return ended


class Live:
    """Everything about phone calls at one moment.

    Args:
        demand: What is asked for.
        costs: What it costs.
        gateway: What the manifests say of the gateway.
        intent: What they say of intent.

    Attributes:
        gateway: The gateway's pods.
        intent: The pods of intent.
        calls: What became of calls.
        finals: What became of final segments.
        rate: Final segments a second that one pod of intent can do.
        done: Those that each pod did in the last step, a second.
    """

    def __init__(self, demand: Demand, costs: Costs, gateway: Workload, intent: Workload) -> None:
        self._demand, self._costs = demand, costs
        self.gateway, self.intent = Pods.some(gateway.least), Pods.some(intent.least)
        self.calls, self.finals = Tally(), Tally()
        self.rate = intent_rate(costs, None if intent.on_triton else intent.cores_limit)
        self.done = np.zeros(intent.least)
        self._room = gateway.setting("MAX_CONCURRENT_RPCS", MAX_CONCURRENT_RPCS)
        self._budget_s = intent.setting("FINAL_BUDGET_S", FINAL_BUDGET_S)
        self._gateway_rate = min(1.0, gateway.cores_limit) / costs.gateway_final

    def resize(self, gateways: int, intents: int) -> None:
        """Pods come and go; calls of those that go are taken up by the others at once."""
        calls, _ = self.gateway.resize(gateways)
        self.gateway.level(calls)
        calls, backlog = self.intent.resize(intents)
        self.intent.spread(calls)
        self.intent.backlog = self.intent.backlog + backlog / intents

    def step(self, seconds: float, arriving: float, triton_rate: float = math.inf) -> float:
        """Goes on for some seconds.

        Args:
            seconds: How long.
            arriving: Calls that come.
            triton_rate: Final segments a second that Triton can do, where it runs the model.

        Returns:
            Longest time that a final segment waits for its turn on any pod, in seconds.
        """
        share = 1 - math.exp(-seconds / self._demand.call_s)
        ended = self.gateway.end(share)
        self.intent.end(share)
        room = max(0.0, self._room * len(self.gateway.calls) - float(self.gateway.calls.sum()))
        taken = min(arriving, room)
        self.calls.arrived += arriving
        self.calls.refused += arriving - taken
        self.calls.served += ended
        self.gateway.level(taken)
        self.intent.spread(taken)
        self.calls.waiting = float(self.gateway.calls.sum())
        return self._utter(seconds, triton_rate)

    def _utter(self, seconds: float, triton_rate: float) -> float:
        said = self.intent.calls * seconds / self._demand.period_s
        per_gateway = float(self.gateway.calls.max()) / self._demand.period_s
        slowed = min(1.0, self._gateway_rate / per_gateway) if per_gateway else 1.0
        rate = min(self.rate, triton_rate / len(said)) * slowed
        there = self.intent.backlog + said
        self.done = np.minimum(there, rate * seconds)
        left = there - self.done
        self.intent.backlog = np.minimum(left, rate * self._budget_s)
        self.finals.arrived += float(said.sum())
        self.finals.served += float(self.done.sum())
        self.finals.refused += float((left - self.intent.backlog).sum())
        self.finals.waiting = float(self.intent.backlog.sum())
        self.done = self.done / seconds
        return float((self.intent.backlog / rate).max())


def intent_rate(costs: Costs, cores: float | None) -> float:
    """Final segments a second that one pod of intent can do: its event loop, its threads or its cores end first.

    Args:
        costs: What one costs.
        cores: Cores that the pod gets, where it runs the model itself; else None.
    """
    loop = 1 / costs.intent_loop
    if cores is None:
        return loop
    return min(loop, MODEL_THREADS / costs.intent_model, cores / (costs.intent_loop + costs.intent_model))
