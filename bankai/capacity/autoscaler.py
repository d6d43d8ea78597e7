"""How Kubernetes' HorizontalPodAutoscaler (autoscaling/v2) decides, as its controller does.

Sources: https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/, and in Kubernetes
pkg/controller/podautoscaler (replica_calculator.go, horizontal.go).
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

SYNC_S = 15.0
"""--horizontal-pod-autoscaler-sync-period."""
TOLERANCE = 0.1
"""--horizontal-pod-autoscaler-tolerance."""


@dataclass(frozen=True)
class Policy:
    """How much may change within a period.

    Attributes:
        percent: Whether `value` is a share of the pods, in percent; else it is pods.
        value: How many.
        period_s: Within how many seconds.
    """

    percent: bool
    value: int
    period_s: float


@dataclass(frozen=True)
class Rules:
    """One direction of `behavior`; of its policies the one that allows most counts.

    Attributes:
        window_s: stabilizationWindowSeconds.
        policies: What is allowed; nothing else is.
    """

    window_s: float
    policies: Sequence[Policy]


@dataclass(frozen=True)
class Usage:
    """What one metric says.

    Attributes:
        value: Mean over the ready pods, or the value itself where the target's type is Value.
        target: What it should be.
        missing: Pods whose metric is not there yet.
    """

    value: float
    target: float
    missing: int = 0


@dataclass
class Autoscaler:
    """One HorizontalPodAutoscaler with its memory.

    Attributes:
        least: minReplicas.
        most: maxReplicas.
        up: behavior.scaleUp.
        down: behavior.scaleDown.
    """

    least: int
    most: int
    up: Rules
    down: Rules
    _wanted: deque[tuple[float, int]] = field(default_factory=deque)
    _changes: deque[tuple[float, int]] = field(default_factory=deque)

    def decide(self, now: float, pods: int, usages: Sequence[Usage]) -> int:
        """How many pods there should be.

        Args:
            now: Seconds since whenever.
            pods: How many there are, ready or not.
            usages: What every metric says; the one that asks for most decides.
        """
        wanted = max((desired(pods, usage) for usage in usages), default=pods)
        self._forget(now)
        self._wanted.append((now, wanted))
        stable = self._stabilized(now, pods, wanted)
        allowed = max(min(stable, self._ceiling(now, pods)), self._floor(now, pods))
        result = max(self.least, min(self.most, allowed))
        if result != pods:
            self._changes.append((now, result - pods))
        return result

    def _forget(self, now: float) -> None:
        keep = max(self.up.window_s, self.down.window_s)
        while self._wanted and self._wanted[0][0] < now - keep:
            self._wanted.popleft()
        longest = max((policy.period_s for rules in (self.up, self.down) for policy in rules.policies), default=0)
        while self._changes and self._changes[0][0] < now - longest:
            self._changes.popleft()

    def _stabilized(self, now: float, pods: int, wanted: int) -> int:
        """Up no further than everything asked for in one window, down no further than anything in the other."""
        lowest = min((n for at, n in self._wanted if at > now - self.up.window_s), default=wanted)
        highest = max((n for at, n in self._wanted if at > now - self.down.window_s), default=wanted)
        return min(max(pods, min(lowest, wanted)), max(highest, wanted))

    def _ceiling(self, now: float, pods: int) -> int:
        limits = [pods]
        for policy in self.up.policies:
            began = pods - self._changed(now, policy.period_s, up=True) + self._changed(now, policy.period_s, up=False)
            grown = began * (1 + policy.value / 100) if policy.percent else began + policy.value
            limits.append(math.ceil(round(grown, 9)))
        return max(limits)

    def _floor(self, now: float, pods: int) -> int:
        limits = []
        for policy in self.down.policies:
            began = pods - self._changed(now, policy.period_s, up=True) + self._changed(now, policy.period_s, up=False)
            limits.append(int(began * (1 - policy.value / 100)) if policy.percent else began - policy.value)
        return min(pods, min(limits, default=pods))

    def _changed(self, now: float, period_s: float, *, up: bool) -> int:
        return sum(abs(by) for at, by in self._changes if at > now - period_s and (by > 0) == up)


def desired(pods: int, usage: Usage) -> int:
    """What one metric asks for: ceil(pods * value / target), and nothing within the tolerance.

    Pods without a metric count as idle where the others ask for more, and as at their target where they ask for fewer;
    if that turns the direction, nothing is asked for.

    Args:
        pods: How many there are, ready or not.
        usage: What the metric says.
    """
    ready = pods - usage.missing
    ratio = usage.value / usage.target
    if not ready:
        return pods
    if not usage.missing:
        return pods if abs(ratio - 1) <= TOLERANCE + 1e-9 else math.ceil(round(ratio * pods, 9))
    filled = ratio * ready / pods if ratio > 1 else (ratio * ready + usage.missing) / pods
    if abs(filled - 1) <= TOLERANCE + 1e-9 or (ratio > 1) != (filled > 1):
        return pods
    return math.ceil(round(filled * pods, 9))
