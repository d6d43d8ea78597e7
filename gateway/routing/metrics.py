"""Prometheus metrics of the way to the backends. A backend is one release of one service."""

from prometheus_client import Counter, Gauge, Histogram

_BACKEND = ("service", "release")
_BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

ATTEMPTS = Counter(
    "gateway_backend_attempts", "Attempts of calls to a backend that ended, by status.", (*_BACKEND, "code")
)
SECONDS = Histogram(
    "gateway_backend_seconds", "Time until a backend answered a unary call.", _BACKEND, buckets=_BUCKETS
)
RETRIES = Counter("gateway_backend_retries", "Attempts that were made because an earlier one had failed.", _BACKEND)
HEDGES = Counter("gateway_backend_hedges", "Second attempts that were made because the first one was slow.", _BACKEND)
HEDGES_WON = Counter("gateway_backend_hedges_won", "Second attempts that answered first.", _BACKEND)
BREAKER = Gauge("gateway_breaker_state", "0 closed, 1 half-open, 2 open.", _BACKEND)
LIMIT = Gauge("gateway_concurrency_limit", "Calls that a backend may have in flight.", (*_BACKEND, "kind"))
IN_FLIGHT = Gauge("gateway_concurrency_in_flight", "Calls that a backend has in flight.", (*_BACKEND, "kind"))
SHED = Counter("gateway_shed", "Calls refused because the backend was at its limit.", (*_BACKEND, "kind", "priority"))
CANARY_STOPPED = Gauge("gateway_canary_stopped", "1 where a canary broke its budget and gets no calls.", _BACKEND)
SHADOW_SKIPPED = Counter("gateway_shadow_skipped", "Copies not made as too many were in flight.", _BACKEND)
TABLE_REFUSED = Counter("gateway_routes_refused", "Changes of the routes' file that were wrong and not taken up.")
