import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from concurrent import futures
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

from bankai.settings import TelemetrySettings
from bankai.telemetry import configure_tracing, metrics_endpoint

PROGRAM = """
import sys
from opentelemetry import trace
from bankai.settings import TelemetrySettings
from bankai.telemetry import configure_tracing

shutdown = configure_tracing(TelemetrySettings(otlp_endpoint=sys.argv[1]), "toy")
with trace.get_tracer("toy").start_as_current_span("work"):
    pass
shutdown()
"""


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    def __init__(self) -> None:
        self.requests: list[Any] = []

    def Export(self, request: Any, context: Any) -> Any:  # noqa: N802  # as generated
        self.requests.append(request)
        return trace_service_pb2.ExportTraceServiceResponse()


@asynccontextmanager
async def collecting() -> AsyncIterator[tuple[Collector, str]]:
    collector = Collector()
    server = grpc.server(futures.ThreadPoolExecutor(1))
    register: Any = trace_service_pb2_grpc.add_TraceServiceServicer_to_server
    register(collector, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield collector, f"http://127.0.0.1:{port}"
    finally:
        await asyncio.to_thread(server.stop(None).wait)


@pytest.mark.slow
async def test_spans_reach_the_collector() -> None:
    async with collecting() as (collector, url):
        program = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, url, stderr=subprocess.PIPE)
        _, log = await asyncio.wait_for(program.communicate(), 30)
        assert program.returncode == 0, log
    (request,) = collector.requests
    (resource,) = request.resource_spans
    attributes = {item.key: item.value.string_value for item in resource.resource.attributes}
    assert attributes["service.name"] == "toy"
    assert resource.scope_spans[0].spans[0].name == "work"


def test_without_a_collector_nothing_is_set_up() -> None:
    before = trace.get_tracer_provider()
    configure_tracing(TelemetrySettings(), "toy")()
    assert trace.get_tracer_provider() is before


def test_without_an_address_nothing_is_served() -> None:
    with metrics_endpoint("") as port:
        assert port == 0
