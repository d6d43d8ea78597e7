"""Server interceptors, one concern a file."""

from collections.abc import Sequence

import grpc

from bankai.errors import FaultError
from bankai.interceptors.access_log import AccessLogInterceptor
from bankai.interceptors.answered_by import AnsweredByInterceptor
from bankai.interceptors.base import BaseInterceptor, CallInfo, Context, Interceptor, SyncInterceptor
from bankai.interceptors.deadline import DeadlineInterceptor
from bankai.interceptors.decoding import DecodingInterceptor
from bankai.interceptors.errors import ErrorsInterceptor
from bankai.interceptors.limit import LimitInterceptor
from bankai.interceptors.metrics import MetricsInterceptor
from bankai.interceptors.request_id import RequestIdInterceptor
from bankai.interceptors.trace import TraceInterceptor, outgoing_metadata
from bankai.interceptors.vouched import VouchedInterceptor
from bankai.settings import ServerSettings, ServiceSettings
from bankai.vouching import Verifier, read_public_keys
from bankai.watched import Watched

__all__ = [
    "CallInfo",
    "Context",
    "Interceptor",
    "SyncInterceptor",
    "default_interceptors",
    "outgoing_metadata",
    "service_interceptors",
]


def default_interceptors(
    settings: ServerSettings,
    *,
    record_spans: bool = False,
    recording: Sequence[BaseInterceptor] = (),
    default_deadline: bool = True,
    own: Sequence[BaseInterceptor] = (),
) -> list[grpc.aio.ServerInterceptor]:
    """The chain of every server, the outermost first.

    Args:
        settings: Limits of the server.
        record_spans: Whether spans are recorded; see `bankai.telemetry`.
        recording: Interceptors that see how every call ends, refusals by the server's limits included; what they raise
            is answered like a handler's errors.
        default_deadline: Whether unary calls that came without a deadline get the settings' one.
        own: The process's own interceptors; what they raise is answered, logged and counted like a handler's errors.
    """
    return [
        RequestIdInterceptor(),
        TraceInterceptor(record=record_spans),
        MetricsInterceptor(),
        AccessLogInterceptor(),
        ErrorsInterceptor(),
        *recording,
        LimitInterceptor(settings.max_concurrent_rpcs),
        DeadlineInterceptor(settings.default_deadline_s if default_deadline else None),
        *own,
        DecodingInterceptor(),
    ]


def service_interceptors(settings: ServiceSettings) -> list[grpc.aio.ServerInterceptor]:
    """The chain of a service behind the gateway, the outermost first.

    Args:
        settings: The service's settings.

    Raises:
        FaultError: GATEWAY_KEYS_INVALID.
    """
    file = settings.gateway_keys
    try:
        verifier = None if file is None else Watched((file,), lambda: Verifier(read_public_keys(file)))
    except ValueError as error:
        raise FaultError("GATEWAY_KEYS_INVALID", str(error)) from None
    return default_interceptors(
        settings.server,
        record_spans=bool(settings.telemetry.otlp_endpoint),
        own=(VouchedInterceptor(verifier), AnsweredByInterceptor()),
    )
