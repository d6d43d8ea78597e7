"""What can be scraped: the series that our processes, Triton and Prometheus itself export, each with its labels."""

from importlib import import_module
from typing import Any

from prometheus_client import REGISTRY

PROCESSES = ("gateway.app", "services.intent.app", "services.doc_extract.app", "services.progress_monitor.app")
FROM_SCRAPE = frozenset({"job", "instance"})
_SUFFIXES = {"counter": ("_total",), "gauge": ("",), "info": ("_info",), "histogram": ("_bucket", "_count", "_sum")}

_MODEL = frozenset({"model", "version"})
TRITON = {
    **dict.fromkeys(
        (
            "nv_inference_request_success",
            "nv_inference_count",
            "nv_inference_exec_count",
            "nv_inference_request_duration_us",
            "nv_inference_queue_duration_us",
            "nv_inference_compute_infer_duration_us",
            "nv_inference_pending_request_count",
        ),
        _MODEL,
    ),
    "nv_inference_request_failure": _MODEL | {"reason"},
}
"""Triton's series that we know of; a test asks a real one."""


def ours() -> dict[str, frozenset[str]]:
    """The series of our processes: those of the modules that they import, and Python's own."""
    for module in PROCESSES:
        import_module(module)
    collectors: dict[str, Any] = REGISTRY._names_to_collectors
    found: dict[str, frozenset[str]] = {}
    for metric in REGISTRY.collect():
        own = frozenset(getattr(collectors.get(metric.name), "_labelnames", ()))
        own |= {label for sample in metric.samples for label in sample.labels} - {"le"}
        for suffix in _SUFFIXES[metric.type]:
            found[metric.name + suffix] = own | ({"le"} if suffix == "_bucket" else set())
    return found


def exported(recorded: dict[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """Every series that a query may name.

    Args:
        recorded: Series that recording rules make.
    """
    scraped = {**ours(), **TRITON, "up": frozenset()}
    return {**{name: labels | FROM_SCRAPE for name, labels in scraped.items()}, **recorded}
