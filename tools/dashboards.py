"""Writes the Grafana dashboards of observability/grafana/: `python -m tools.dashboards`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "observability" / "grafana"

_SCHEMA_VERSION = 39  # of Grafana 10.4, which newer ones migrate from
_DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
_COLUMNS, _WIDTH, _HEIGHT = 24, 12, 8


@dataclass(frozen=True)
class Panel:
    """One panel.

    Attributes:
        title: Its title.
        queries: What it shows: names as Grafana's legends write them, each with its PromQL.
        unit: Grafana's name of the values' unit.
    """

    title: str
    queries: Mapping[str, str]
    unit: str = "short"


@dataclass(frozen=True)
class Dashboard:
    """One dashboard.

    Attributes:
        name: Name of its file, and its id in Grafana.
        title: Its title.
        about: Who looks at it for what.
        panels: Two in a row.
    """

    name: str
    title: str
    about: str
    panels: Sequence[Panel]


def _rate(metric: str, matchers: str, by: str) -> str:
    selector = f"{{{matchers}}}" if matchers else ""
    return f"sum by ({by}) (rate({metric}{selector}[$__rate_interval]))"


def _quantile(share: float, histogram: str, matchers: str, by: str = "") -> str:
    return f"histogram_quantile({share}, {_rate(f'{histogram}_bucket', matchers, f'{by}, le' if by else 'le')})"


def _quantiles(histogram: str, matchers: str) -> dict[str, str]:
    return {name: _quantile(share, histogram, matchers) for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))}


def _level(slo: str) -> Panel:
    """How fast a service level's error budget burns; above 1 it will not last."""
    return Panel(
        f"Error budget of {slo}: burn rate (1 lasts 30 days)",
        {window: f'slo:burn_rate:{window}{{slo="{slo}"}}' for window in ("5m", "1h", "6h", "3d")},
    )


def _calls(service: str) -> Panel:
    """Calls of a service, as it sees them."""
    return Panel(
        "Calls by method and status",
        {
            "{{grpc_method}} {{grpc_code}}": _rate(
                "grpc_server_handled_total", f'grpc_service="{service}",job!="gateway"', "grpc_method, grpc_code"
            )
        },
        "reqps",
    )


def _work(work: str, title: str) -> tuple[Panel, Panel]:
    """How many pieces of work end how, and how long they take."""
    return (
        Panel(
            f"{title} by status and reason",
            {"{{code}} {{reason}}": _rate("bankai_work_total", f'work="{work}"', "code, reason")},
            "ops",
        ),
        Panel(f"{title}: time", _quantiles("bankai_work_seconds", f'work="{work}"'), "s"),
    )


def _processes(job: str) -> tuple[Panel, Panel]:
    """Memory and CPU of the processes of a job."""
    return (
        Panel("Memory by process", {"{{instance}}": f'process_resident_memory_bytes{{job="{job}"}}'}, "bytes"),
        Panel(
            "CPU by process (cores)",
            {"{{instance}}": f'rate(process_cpu_seconds_total{{job="{job}"}}[$__rate_interval])'},
        ),
    )


_INTENT = "bankai.intent.v1.IntentService"
_STREAMS = f'job="intent",grpc_service="{_INTENT}",grpc_method="StreamCall"'
_PROGRESS = "bankai.progress.v1.ProgressService"

DASHBOARDS = (
    Dashboard(
        "live_calls",
        "bankai: live calls",
        "For the contact centre: are callers' sentences answered, and in time?",
        (
            _level("live_calls"),
            Panel("Live calls", {"open streams": f"sum(grpc_server_in_flight{{{_STREAMS}}})"}),
            *_work("final_segment", "Final segments of callers"),
            Panel(
                "Messages on streams",
                {
                    "received": f"sum(rate(grpc_server_msg_received_total{{{_STREAMS}}}[$__rate_interval]))",
                    "sent": f"sum(rate(grpc_server_msg_sent_total{{{_STREAMS}}}[$__rate_interval]))",
                },
                "ops",
            ),
            Panel(
                "Streams that ended, as channels see it",
                {
                    "{{channel}} {{code}} {{reason}}": _rate(
                        "bankai_gateway_calls_total", f'method="/{_INTENT}/StreamCall"', "channel, code, reason"
                    )
                },
                "ops",
            ),
            Panel(
                "Single utterances through the gateway: time",
                _quantiles("bankai_gateway_call_seconds", f'method="/{_INTENT}/Classify"'),
                "s",
            ),
            Panel(
                "Live calls refused for lack of room",
                {"{{service}} {{kind}}": _rate("gateway_shed_total", 'priority="live"', "service, kind")},
                "ops",
            ),
            *_processes("intent"),
        ),
    ),
    Dashboard(
        "documents",
        "bankai: documents",
        "For the credit desk: are documents read, how many wait, and how long does it take?",
        (
            _level("documents"),
            Panel(
                "Calls in hand, and documents that wait",
                {
                    "{{grpc_method}}": 'sum by (grpc_method) (grpc_server_in_flight{job="doc_extract"})',
                    "waiting": "sum(bankai_doc_extract_waiting)",
                },
            ),
            *_work("document", "Documents"),
            _calls("bankai.doc_extract.v1.DocExtractService"),
            Panel(
                "Models: time of one run, p95",
                {"{{model}}": _quantile(0.95, "bankai_inference_execution_seconds", 'job="doc_extract"', "model")},
                "s",
            ),
            *_processes("doc_extract"),
        ),
    ),
    Dashboard(
        "sites",
        "bankai: sites",
        "For the risk desk: are construction sites measured, and do rescans get on?",
        (
            _level("sites"),
            _calls(_PROGRESS),
            *_work("site", "Sites of rescans"),
            Panel(
                "Calls: time, p95",
                {
                    "{{grpc_method}}": _quantile(
                        0.95,
                        "grpc_server_handling_seconds",
                        f'grpc_service="{_PROGRESS}",job="progress_monitor",grpc_type="unary"',
                        "grpc_method",
                    )
                },
                "s",
            ),
            Panel(
                "Open streams",
                {
                    "{{grpc_method}}": f'sum by (grpc_method) (grpc_server_in_flight{{grpc_service="{_PROGRESS}",'
                    'job="progress_monitor",grpc_type!="unary"})'
                },
            ),
            *_processes("progress_monitor"),
        ),
    ),
    Dashboard(
        "inference",
        "bankai: inference and queues",
        "For whoever sizes the machines: do models keep up, in the processes and on Triton?",
        (
            Panel(
                "Requests by outcome",
                {"{{model}} {{outcome}}": _rate("bankai_inference_requests_total", "", "model, outcome")},
                "reqps",
            ),
            Panel(
                "Requests that wait for a run",
                {"{{job}} {{model}}": "sum by (job, model) (bankai_inference_queue_length)"},
            ),
            Panel(
                "Time in the queue, p99",
                {"{{job}} {{model}}": _quantile(0.99, "bankai_inference_queue_seconds", "", "job, model")},
                "s",
            ),
            Panel(
                "Time of a run, p95",
                {"{{job}} {{model}}": _quantile(0.95, "bankai_inference_execution_seconds", "", "job, model")},
                "s",
            ),
            Panel(
                "Rows of a run, mean",
                {
                    "{{job}} {{model}}": f"{_rate('bankai_inference_batch_rows_sum', '', 'job, model')}"
                    f" / {_rate('bankai_inference_batch_rows_count', '', 'job, model')}"
                },
            ),
            Panel(
                "Triton: time of a request as services see it, p99",
                {"{{job}} {{model}}": _quantile(0.99, "bankai_inference_remote_seconds", "", "job, model")},
                "s",
            ),
            Panel(
                "Triton: requests",
                {
                    "{{model}} answered": _rate("nv_inference_request_success", "", "model"),
                    "{{model}} failed: {{reason}}": _rate("nv_inference_request_failure", "", "model, reason"),
                },
                "reqps",
            ),
            Panel(
                "Triton: requests that wait",
                {"{{model}}": "sum by (model) (nv_inference_pending_request_count)"},
            ),
            Panel(
                "Triton: mean time in the queue",
                {
                    "{{model}}": f"{_rate('nv_inference_queue_duration_us', '', 'model')}"
                    f" / {_rate('nv_inference_request_success', '', 'model')}"
                },
                "µs",
            ),
            Panel(
                "Triton: rows of a run, mean",
                {
                    "{{model}}": f"{_rate('nv_inference_count', '', 'model')}"
                    f" / {_rate('nv_inference_exec_count', '', 'model')}"
                },
            ),
        ),
    ),
    Dashboard(
        "gateway",
        "bankai: channels and gateway",
        "For whoever runs the gateway: which channel calls what, who is refused, and is every promise kept?",
        (
            _level("gateway"),
            Panel("Processes that answer", {"{{job}} {{instance}}": "up"}),
            Panel("Calls by channel", {"{{channel}}": _rate("bankai_gateway_calls_total", "", "channel")}, "reqps"),
            Panel(
                "Calls that did not end well",
                {
                    "{{channel}} {{code}} {{reason}}": _rate(
                        "bankai_gateway_calls_total", 'code!~"OK|CANCELLED"', "channel, code, reason"
                    )
                },
                "reqps",
            ),
            Panel(
                "Time of calls by channel, p99",
                {
                    "{{channel}}": _quantile(
                        0.99, "bankai_gateway_call_seconds", 'method!~".*/(StreamCall|WatchAlerts)"', "channel"
                    )
                },
                "s",
            ),
            Panel(
                "Calls that a channel's limit refused or ended",
                {"{{channel}} {{reason}}": _rate("bankai_gateway_limited_calls_total", "", "channel, reason")},
                "reqps",
            ),
            Panel("Quotas shared through Redis (1) or not (0)", {"{{instance}}": "bankai_gateway_quota_shared"}),
            Panel(
                "Audit records",
                {
                    "written": "sum(rate(bankai_audit_records_total[$__rate_interval]))",
                    "failed": "sum(rate(bankai_audit_failures_total[$__rate_interval]))",
                },
                "ops",
            ),
            Panel(
                "Attempts at services by status",
                {
                    "{{service}} {{release}} {{code}}": _rate(
                        "gateway_backend_attempts_total", "", "service, release, code"
                    )
                },
                "reqps",
            ),
            Panel(
                "Answers of services: time, p95",
                {"{{service}} {{release}}": _quantile(0.95, "gateway_backend_seconds", "", "service, release")},
                "s",
            ),
            Panel(
                "Breakers: 0 closed, 1 half-open, 2 open",
                {"{{service}} {{release}} {{instance}}": "gateway_breaker_state"},
            ),
            Panel(
                "Retries and hedges",
                {
                    "{{service}} retries": _rate("gateway_backend_retries_total", "", "service"),
                    "{{service}} hedges": _rate("gateway_backend_hedges_total", "", "service"),
                    "{{service}} hedges won": _rate("gateway_backend_hedges_won_total", "", "service"),
                },
                "ops",
            ),
            Panel(
                "Room used: calls in flight of those allowed",
                {
                    "{{service}} {{kind}}": "max by (service, kind)"
                    " (gateway_concurrency_in_flight / gateway_concurrency_limit)"
                },
                "percentunit",
            ),
            Panel(
                "Calls refused for lack of room",
                {"{{service}} {{priority}}": _rate("gateway_shed_total", "", "service, priority")},
                "reqps",
            ),
            Panel(
                "Releases: stopped canaries, skipped copies",
                {
                    "{{service}} {{release}} stopped": "max by (service, release) (gateway_canary_stopped)",
                    "{{service}} {{release}} skipped a second": _rate(
                        "gateway_shadow_skipped_total", "", "service, release"
                    ),
                },
            ),
            Panel(
                "Certificates: days left",
                {
                    "{{job}} {{instance}} shown to {{shown_to}}": "(bankai_certificate_not_after_timestamp_seconds"
                    " - time()) / 86400"
                },
            ),
            Panel(
                "Services that say they serve (1) or not (0)",
                {"{{job}} {{grpc_service}}": "max by (job, grpc_service) (bankai_serving)"},
            ),
            Panel(
                "Changes of the route table that were refused",
                {"{{instance}}": "increase(gateway_routes_refused_total[$__rate_interval])"},
            ),
            *_processes("gateway"),
        ),
    ),
)


def as_json(dashboard: Dashboard) -> str:
    """A dashboard as Grafana imports and provisions it."""
    model = {
        "uid": f"bankai-{dashboard.name.replace('_', '-')}",
        "title": dashboard.title,
        "description": dashboard.about,
        "tags": ["bankai"],
        "schemaVersion": _SCHEMA_VERSION,
        "version": 1,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {
            "list": [{"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}]
        },
        "panels": [_panel(number, panel) for number, panel in enumerate(dashboard.panels)],
    }
    return json.dumps(model, indent=2, ensure_ascii=False) + "\n"


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    place = number * _WIDTH
    return {
        "id": number + 1,
        "title": panel.title,
        "type": "timeseries",
        "datasource": _DATASOURCE,
        "gridPos": {"x": place % _COLUMNS, "y": place // _COLUMNS * _HEIGHT, "w": _WIDTH, "h": _HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "table", "placement": "right", "calcs": ["lastNotNull", "max"]}},
        "targets": [
            {"refId": chr(ord("A") + at), "datasource": _DATASOURCE, "expr": query, "legendFormat": legend}
            for at, (legend, query) in enumerate(panel.queries.items())
        ],
    }


def main() -> None:
    """Writes the files."""
    for dashboard in DASHBOARDS:
        (FOLDER / f"{dashboard.name}.json").write_text(as_json(dashboard), encoding="utf-8")


if __name__ == "__main__":
    main()
