"""Server interceptors, one concern a file."""

from collections.abc import Sequence

import grpc

from bankai.interceptors.access_log import AccessLogInterceptor
from bankai.interceptors.base import BaseInterceptor, CallInfo, Context, Interceptor, SyncInterceptor
from bankai.interceptors.deadline import DeadlineInterceptor
from bankai.interceptors.decoding import DecodingInterceptor
from bankai.interceptors.errors import ErrorsInterceptor
from bankai.interceptors.limit import LimitInterceptor
from bankai.interceptors.metrics import MetricsInterceptor
from bankai.interceptors.request_id import RequestIdInterceptor
from bankai.interceptors.trace import TraceInterceptor, outgoing_metadata
from bankai.settings import ServerSettings

__all__ = ["CallInfo", "Context", "Interceptor", "SyncInterceptor", "default_interceptors", "outgoing_metadata"]


def default_interceptors(
    settings: ServerSettings,
    *,
    record_spans: bool = False,
    default_deadline: bool = True,
    own: Sequence[BaseInterceptor] = (),
) -> list[grpc.aio.ServerInterceptor]:
    """The chain of every server, the outermost first.

    Args:
        settings: Limits of the server.
        record_spans: Whether spans are recorded; see `bankai.telemetry`.
        default_deadline: Whether unary calls that came without a deadline get the settings' one.
        own: The process's own interceptors; what they raise is answered, logged and counted like a handler's errors.
    """
    return [
        RequestIdInterceptor(),
        TraceInterceptor(record=record_spans),
        MetricsInterceptor(),
        AccessLogInterceptor(),
        ErrorsInterceptor(),
        LimitInterceptor(settings.max_concurrent_rpcs),
        DeadlineInterceptor(settings.default_deadline_s if default_deadline else None),
        *own,
        DecodingInterceptor(),
    ]
