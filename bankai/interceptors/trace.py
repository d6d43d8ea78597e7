"""Takes part in W3C traces: follows the caller's, records spans where tracing is set up, and hands the trace on."""

from collections.abc import Iterator
from contextlib import contextmanager

import grpc
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode, format_trace_id
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from bankai.interceptors import request_id
from bankai.interceptors.base import CallInfo, Context, SyncInterceptor, outcome

TRACE_ID_HEADER = "x-trace-id"
"""Trailing metadata that tells the client under which trace its call was recorded."""

_propagator = TraceContextTextMapPropagator()
_FIELDS = ("traceparent", "tracestate")
_FAULTS = {
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DATA_LOSS,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.UNIMPLEMENTED,
}


def outgoing_metadata() -> tuple[tuple[str, str], ...]:
    """Metadata that makes an onward call part of the current call: its request id and its trace."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    identity = request_id.current()
    return (*(((request_id.HEADER, identity),) if identity else ()), *carrier.items())


class TraceInterceptor(SyncInterceptor):
    """Follows the caller's trace; records a server span per call if asked to.

    Args:
        record: Whether spans are recorded; else the caller's trace is only handed on, which costs next to nothing.
    """

    def __init__(self, *, record: bool) -> None:
        self._tracer = trace.get_tracer("bankai") if record else None

    @contextmanager
    def around(self, call: CallInfo, context: Context) -> Iterator[None]:
        """Makes the caller's trace, or the new span in it, current for the call."""
        carrier = {key: value for key in _FIELDS if (value := call.header(key)) is not None}
        parent = _propagator.extract(carrier) if carrier else None
        if self._tracer is None:
            if parent is not None:
                otel_context.attach(parent)  # for the rest of the call's task
            yield
            return
        with self._tracer.start_as_current_span(
            call.shown[1:],
            context=parent,
            kind=SpanKind.SERVER,
            attributes={"rpc.system": "grpc", "rpc.method": call.shown[1:]},
            record_exception=False,  # its text may be a customer's
            set_status_on_exception=False,
        ) as span:
            trailer = (TRACE_ID_HEADER, format_trace_id(span.get_span_context().trace_id))
            context.set_trailing_metadata((*(context.trailing_metadata() or ()), trailer))  # here for aborts
            error: BaseException | None = None
            try:
                yield
                trailers = tuple(item for item in context.trailing_metadata() or () if item[0] != TRACE_ID_HEADER)
                context.set_trailing_metadata((*trailers, trailer))
            except BaseException as raised:
                error = raised
                raise
            finally:
                code = outcome(context, error)
                span.set_attribute("rpc.grpc.status_code", code.value[0])
                if call.reason:
                    span.set_attribute("error.type", call.reason)
                if code in _FAULTS:
                    span.set_status(Status(StatusCode.ERROR))
