"""Prometheus metrics of the inference layer, one set per model."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Gauge, Histogram

from bankai.errors import BankaiError

_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128)

_QUEUE_SECONDS = Histogram(
    "bankai_inference_queue_seconds", "Time that a request waited for its run to start.", ["model"], buckets=_SECONDS
)
_EXECUTION_SECONDS = Histogram(
    "bankai_inference_execution_seconds",
    "Time of one run of the embedded backend, stacking and splitting included.",
    ["model"],
    buckets=_SECONDS,
)
_BATCH_ROWS = Histogram("bankai_inference_batch_rows", "Rows of one run.", ["model"], buckets=_ROWS)
_QUEUE_LENGTH = Gauge("bankai_inference_queue_length", "Requests that wait for a run.", ["model"])
_REMOTE_SECONDS = Histogram(
    "bankai_inference_remote_seconds",
    "Time of one request to Triton, retries included. Triton's own nv_inference_* tell queue and execution apart.",
    ["model"],
    buckets=_SECONDS,
)
_REQUESTS = Counter(
    "bankai_inference_requests", "Requests by outcome: ok or the reason of the error.", ["model", "outcome"]
)

_VERSION = Gauge("bankai_inference_model_version", "Version of a model that the embedded backend serves.", ["model"])
_REFUSED = Counter(
    "bankai_inference_versions_refused",
    "Versions that the embedded backend did not go over to; the log says why.",
    ["model"],
)


class BatcherMetrics:
    """What the embedded backend measures of one model.

    Args:
        model: Name of the model.
    """

    # Children are looked up once: a lookup costs more than the observation itself.
    def __init__(self, model: str) -> None:
        self.queue_seconds = _QUEUE_SECONDS.labels(model)
        self.execution_seconds = _EXECUTION_SECONDS.labels(model)
        self.batch_rows = _BATCH_ROWS.labels(model)
        self.queue_length = _QUEUE_LENGTH.labels(model)


class RemoteMetrics:
    """What the Triton backend measures of one model.

    Args:
        model: Name of the model.
    """

    def __init__(self, model: str) -> None:
        self.seconds = _REMOTE_SECONDS.labels(model)


def version_serves(model: str, version: str) -> None:
    """Tells which version of a model the embedded backend serves."""
    _VERSION.labels(model).set(int(version))


def version_refused(model: str) -> None:
    """Counts a version that cannot take over."""
    _REFUSED.labels(model).inc()


@contextmanager
def counted(model: str) -> Iterator[None]:
    """Counts the request inside when it ends: as "ok", "CANCELLED", or by the reason of its error."""
    try:
        yield
    except asyncio.CancelledError:
        _REQUESTS.labels(model, "CANCELLED").inc()
        raise
    except BankaiError as error:
        _REQUESTS.labels(model, error.reason).inc()
        raise
    _REQUESTS.labels(model, "ok").inc()
