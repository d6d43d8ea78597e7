"""Sets up metrics and traces. Metrics live in prometheus_client's default registry; define them at module level."""

import contextlib
from collections.abc import Callable, Iterator

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from prometheus_client import start_http_server

from bankai.settings import TelemetrySettings


def configure_tracing(settings: TelemetrySettings, service: str) -> Callable[[], None]:
    """Starts sending spans to the collector of the settings, if one is set. Call once, at start.

    Args:
        settings: Where to and how many.
        service: Name of the process in the traces.

    Returns:
        A function that sends what is left; call it last, it may take seconds.
    """
    if not settings.otlp_endpoint:
        return lambda: None
    # Imported here as it takes memory and start-up time that only a process with a collector needs.
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  # see above

    provider = TracerProvider(
        resource=Resource.create({"service.name": service}),
        sampler=ParentBased(TraceIdRatioBased(settings.sample_ratio)),
    )
    exporter = OTLPSpanExporter(
        endpoint=settings.otlp_endpoint, insecure=not settings.otlp_endpoint.startswith("https://")
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return provider.shutdown


@contextlib.contextmanager
def metrics_endpoint(listen: str) -> Iterator[int]:
    """Serves the metrics over HTTP while the context is open.

    Args:
        listen: host:port; port 0 takes a free one. Empty serves nothing.

    Yields:
        The port; 0 where nothing is served.
    """
    if not listen:
        yield 0
        return
    host, _, port = listen.rpartition(":")
    server, thread = start_http_server(int(port), host.strip("[]"))
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
