"""Prometheus metrics of calls by the bank's channels."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Histogram

from bankai import health
from bankai.errors import BankaiError
from bankai.interceptors import CallInfo, Context, SyncInterceptor
from bankai.interceptors.base import outcome
from gateway.authn.caller import current_caller
from gateway.policy.permit import current_permit

# Whoever is let in nowhere may name any channel and method: only what the policy knows gets a label of its own.
_UNKNOWN = "unknown"

CALLS = Counter(
    "bankai_gateway_calls",
    "Calls that ended, by channel, method, status, and the reason where the gateway refused them.",
    ("channel", "method", "code", "reason"),
)
SECONDS = Histogram(
    "bankai_gateway_call_seconds",
    "Time from a call's arrival to its end, of calls that the policy allows.",
    ("channel", "method"),
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0),
)


class CallMetricsInterceptor(SyncInterceptor):
    """Counts and times calls by channel. Belongs outside of the authentication, to count whom it refuses, too."""

    @contextmanager
    def around(self, call: CallInfo, context: Context) -> Iterator[None]:
        """Counts the call at its end."""
        error: BaseException | None = None
        try:
            yield
        except BaseException as raised:
            error = raised
            raise
        finally:
            if call.service != health.SERVICE_NAME:
                _count(call, context, error)


def _count(call: CallInfo, context: Context, error: BaseException | None) -> None:
    code, reason = (error.code, error.reason) if isinstance(error, BankaiError) else (outcome(context, error), "")
    channel, method = _who_and_what(call)
    if method != _UNKNOWN:
        SECONDS.labels(channel, method).observe(time.perf_counter() - call.started)
    CALLS.labels(channel, method, code.name, reason).inc()


def _who_and_what(call: CallInfo) -> tuple[str, str]:
    try:
        return current_permit().channel, call.shown
    except LookupError:
        pass
    try:
        return current_caller().channel, _UNKNOWN
    except LookupError:
        return _UNKNOWN, _UNKNOWN
