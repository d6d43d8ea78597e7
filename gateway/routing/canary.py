"""Watches a release on trial, and stops it when it breaks its budget."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from gateway.routing import metrics
from gateway.routing.model import CanaryRules

log = structlog.get_logger(__name__)

_JUDGE_EVERY_S = 1.0
_MOST_CALLS = 2000


@dataclass(frozen=True, slots=True)
class _Ended:
    at: float
    failed: bool
    seconds: float | None


class CanaryWatch:
    """Compares the release on trial with the stable one, by calls that either might have got.

    Once stopped it stays so: what was wrong with it does not mend itself.

    Args:
        service: Full name of the service, for log and metric.
        rules: The canary and its budget.
        clock: Seconds that only grow.
    """

    def __init__(self, service: str, rules: CanaryRules, clock: Callable[[], float] = time.monotonic) -> None:
        self.stopped = False
        """Whether it broke its budget and must get no calls any more."""
        self.release = rules.release
        """The release on trial."""
        self._service = service
        self._rules = rules
        self._clock = clock
        self._trial: deque[_Ended] = deque(maxlen=_MOST_CALLS)
        self._stable: deque[_Ended] = deque(maxlen=_MOST_CALLS)
        self._judged_at = clock()
        metrics.CANARY_STOPPED.labels(service, rules.release).set(0)

    def record(self, *, on_trial: bool, failed: bool, seconds: float | None) -> None:
        """Notes how an attempt ended.

        Args:
            on_trial: Whether it was the canary's; else it was the stable release's.
            failed: Whether the release or the way to it is to blame.
            seconds: Time to the answer of a unary call; None for what gave none.
        """
        if self.stopped:
            return
        now = self._clock()
        (self._trial if on_trial else self._stable).append(_Ended(now, failed, seconds))
        if on_trial and now - self._judged_at >= _JUDGE_EVERY_S:
            self._judged_at = now
            self._judge(now - self._rules.window_s)

    def forget(self) -> None:
        """Takes its state out of the metrics."""
        metrics.CANARY_STOPPED.remove(self._service, self.release)

    def _judge(self, since: float) -> None:
        for ended in (self._trial, self._stable):
            while ended and ended[0].at < since:
                ended.popleft()
        calls = len(self._trial)
        if calls < self._rules.min_calls:
            return
        error_share = sum(ended.failed for ended in self._trial) / calls
        p95, stable_p95 = _p95(self._trial, self._rules.min_calls), _p95(self._stable, self._rules.min_calls)
        slow = p95 is not None and stable_p95 is not None and p95 > stable_p95 * self._rules.max_p95_ratio
        if error_share <= self._rules.max_error_share and not slow:
            return
        self.stopped = True
        metrics.CANARY_STOPPED.labels(self._service, self.release).set(1)
        log.error(
            "a canary broke its budget and gets no calls any more",
            service=self._service,
            release=self.release,
            calls=calls,
            error_share=round(error_share, 4),
            p95_s=p95,
            stable_p95_s=stable_p95,
        )


def _p95(ended: deque[_Ended], min_calls: int) -> float | None:
    """95th percentile of the times to an answer, in seconds; None where there are too few."""
    seconds = sorted(each.seconds for each in ended if each.seconds is not None)
    if len(seconds) < min_calls // 2 or not seconds:
        return None
    return seconds[min(len(seconds) * 95 // 100, len(seconds) - 1)]
