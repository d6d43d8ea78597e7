import asyncio
import time

import pytest
from prometheus_client import REGISTRY

from bankai.errors import BankaiError, UnavailableError
from bankai.work_metrics import WorkMetrics


def ended(work: str, code: str, reason: str = "") -> float:
    labels = {"work": work, "code": code, "reason": reason}
    return REGISTRY.get_sample_value("bankai_work_total", labels) or 0.0


def timed(work: str, le: str = "+Inf") -> float:
    return REGISTRY.get_sample_value("bankai_work_seconds_bucket", {"work": work, "le": le}) or 0.0


def test_a_piece_that_succeeds_is_counted_and_timed() -> None:
    metrics = WorkMetrics("good")
    with metrics.measured():
        pass
    metrics.done(time.perf_counter() - 20)
    assert ended("good", "OK") == 2
    assert (timed("good", "10.0"), timed("good", "30.0")) == (1, 2)


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (UnavailableError("MODEL_AWAY", "the model is away", retry_after=1.0), "UNAVAILABLE", "MODEL_AWAY"),
        (ZeroDivisionError(), "INTERNAL", "INTERNAL"),
    ],
)
def test_a_piece_that_fails_is_counted_with_its_reason_and_not_timed(
    error: BankaiError | Exception, code: str, reason: str
) -> None:
    with pytest.raises(type(error)), WorkMetrics("bad").measured():
        raise error
    assert ended("bad", code, reason) == 1
    assert timed("bad") == 0


def test_a_piece_that_is_cancelled_counts_for_nothing() -> None:
    with pytest.raises(asyncio.CancelledError), WorkMetrics("cancelled").measured():
        raise asyncio.CancelledError
    assert (ended("cancelled", "OK"), ended("cancelled", "CANCELLED"), timed("cancelled")) == (0, 0, 0)
