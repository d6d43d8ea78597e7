"""Prometheus metrics of every call, named as the gRPC ecosystem names them."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc
from prometheus_client import Counter, Gauge, Histogram

from bankai.interceptors.base import CallInfo, Context, Handler, SyncInterceptor, outcome

_LABELS = ("grpc_service", "grpc_method", "grpc_type")
_BUCKETS = (0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.04, 0.06, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
# A gateway serves whatever method a client names; beyond this many, they share one label.
_MAX_METHODS = 256

STARTED = Counter("grpc_server_started", "Calls that arrived.", _LABELS)
HANDLED = Counter("grpc_server_handled", "Calls that ended, by status.", (*_LABELS, "grpc_code"))
SECONDS = Histogram("grpc_server_handling_seconds", "Time from a call's arrival to its end.", _LABELS, buckets=_BUCKETS)
IN_FLIGHT = Gauge("grpc_server_in_flight", "Calls that are being handled.", _LABELS)
RECEIVED = Counter("grpc_server_msg_received", "Messages received on streams.", _LABELS)
SENT = Counter("grpc_server_msg_sent", "Messages sent on streams.", _LABELS)


class _Method:
    """The children of one method's labels, looked up once."""

    def __init__(self, labels: tuple[str, str, str]) -> None:
        self.labels = labels
        self.started = STARTED.labels(*labels)
        self.seconds = SECONDS.labels(*labels)
        self.in_flight = IN_FLIGHT.labels(*labels)
        self.received = RECEIVED.labels(*labels)
        self.sent = SENT.labels(*labels)
        self.handled: dict[grpc.StatusCode, Counter] = {}

    def count(self, code: grpc.StatusCode) -> None:
        if code not in self.handled:
            self.handled[code] = HANDLED.labels(*self.labels, code.name)
        self.handled[code].inc()


class MetricsInterceptor(SyncInterceptor):
    """Counts and times calls, and the messages of streams as they pass."""

    def __init__(self) -> None:
        self._methods: dict[tuple[str, str], _Method] = {}

    @contextmanager
    def around(self, call: CallInfo, context: Context) -> Iterator[None]:
        """Counts the call's start and end."""
        method = self._method(call)
        method.started.inc()
        method.in_flight.inc()
        error: BaseException | None = None
        try:
            yield
        except BaseException as raised:
            error = raised
            raise
        finally:
            method.in_flight.dec()
            method.count(outcome(context, error))
            method.seconds.observe(time.perf_counter() - call.started)

    def wrap(self, handler: Handler) -> None:
        """Counts a stream's messages where they are decoded and encoded."""
        method = self._method(handler.call)
        if handler.request_streaming:
            handler.request_deserializer = _counted(method.received, handler.request_deserializer)
        if handler.response_streaming:
            handler.response_serializer = _counted(method.sent, handler.response_serializer)
        super().wrap(handler)

    def _method(self, call: CallInfo) -> _Method:
        method = self._methods.get((call.method, call.kind))  # a gateway learns a method's kind as it runs
        if method is None:
            full = len(self._methods) >= _MAX_METHODS
            key = ("other" if full else call.method, call.kind)
            service, _, name = ("other/other" if full else call.shown[1:]).rpartition("/")
            labels = (service, name, call.kind)
            method = self._methods.setdefault(key, _Method(labels))
        return method


def _counted(counter: Counter, convert: Callable[[Any], Any] | None) -> Callable[[Any], Any]:
    count = counter.inc

    def counted(message: Any) -> Any:
        count()
        return message if convert is None else convert(message)

    return counted
