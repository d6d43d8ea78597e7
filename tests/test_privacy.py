"""Nothing personal in what a full run of the product writes: its logs, metrics, traces and audit records."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

from bankai.cli.stack import plan
from bankai.cli.supervisor import Supervisor
from bankai.doc_extract.v1 import doc_extract_pb2, doc_extract_pb2_grpc
from bankai.intent.v1 import intent_pb2, intent_pb2_grpc
from bankai.loopback import free_ports
from bankai.progress.v1 import progress_pb2, progress_pb2_grpc

PLANTED = ("13912345678", "6222021234567890123", "110101199003078515", "欧阳震华", "hunter2hunter2")
PHONE, CARD, IDENTITY, NAME, SECRET = PLANTED
PROCESSES = ("GATEWAY", "INTENT", "DOC_EXTRACT", "PROGRESS_MONITOR")


class Collector(grpc.GenericRpcHandler):
    """An OpenTelemetry collector that keeps what it is sent, as bytes."""

    def __init__(self) -> None:
        self.received: list[bytes] = []

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        return grpc.unary_unary_rpc_method_handler(self._export)

    async def _export(self, request: bytes, context: Any) -> bytes:
        self.received.append(request)
        return trace_service_pb2.ExportTraceServiceResponse().SerializeToString()

    def span_names_by_trace(self) -> dict[bytes, set[str]]:
        found: dict[bytes, set[str]] = {}
        for raw in self.received:
            request = trace_service_pb2.ExportTraceServiceRequest.FromString(raw)
            for resource in request.resource_spans:
                for scope in resource.scope_spans:
                    for span in scope.spans:
                        found.setdefault(span.trace_id, set()).add(span.name)
        return found


@asynccontextmanager
async def collecting() -> AsyncIterator[tuple[Collector, str]]:
    collector = Collector()
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((collector,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield collector, f"http://127.0.0.1:{port}"
    finally:
        await server.stop(None)


async def tried(call: Any) -> None:
    """Awaits a call or reads a stream to its end, whatever becomes of it."""
    try:
        if hasattr(call, "read"):
            while await call.read() is not grpc.aio.EOF:
                pass
        else:
            await call
    except grpc.aio.AioRpcError:
        pass


async def speak(channel: grpc.aio.Channel, metadata: tuple[tuple[str, str], ...]) -> str:
    """What a bank's day brings, good and bad; returns the trace id that the client was told."""
    intent: Any = intent_pb2_grpc.IntentServiceStub(channel)
    documents: Any = doc_extract_pb2_grpc.DocExtractServiceStub(channel)
    sites: Any = progress_pb2_grpc.ProgressServiceStub(channel)
    said = f"我叫{NAME}，手机{PHONE}，卡号{CARD}，身份证{IDENTITY}"
    good = intent.Classify(intent_pb2.ClassifyRequest(text=said, context=[said]), metadata=metadata)
    await good
    trace_id = str(dict(await good.trailing_metadata())["x-trace-id"])
    await tried(intent.Classify(intent_pb2.ClassifyRequest(text="x", language=PHONE), metadata=metadata))
    call = intent.StreamCall(metadata=metadata)
    await call.write(intent_pb2.StreamCallRequest(config=intent_pb2.CallConfig(call_id="c-1", channel="phone")))
    segment = intent_pb2.Segment(segment_id="1", speaker=intent_pb2.SPEAKER_CALLER, text=said, is_final=True)
    await call.write(intent_pb2.StreamCallRequest(segment=segment))
    await call.done_writing()
    await tried(call)

    def upload(data: bytes, name: str) -> Any:
        config = doc_extract_pb2.ExtractConfig(request_id=f"r-{len(data)}", file_name=name)
        yield doc_extract_pb2.ExtractRequest(config=config)
        yield doc_extract_pb2.ExtractRequest(chunk=data)

    lines = ("借款合同", f"借款人：{NAME}", f"身份证号码：{IDENTITY}", f"电话：{PHONE}", f"账号：{CARD}")
    contract = "\n".join((*lines, "借款金额：人民币壹佰万元整")).encode()
    await tried(documents.Extract(upload(contract, f"{NAME}.txt"), metadata=metadata))
    await tried(documents.Extract(upload(b"%PDF-1.7 " + contract, f"{PHONE}.pdf"), metadata=metadata))
    await tried(sites.RegisterProject(progress_pb2.RegisterProjectRequest(), metadata=metadata))
    # Secrets and customers where they do not belong: in headers, as a method, as a key.
    await tried(intent.ListIntents(intent_pb2.ListIntentsRequest(), metadata=(("x-api-key", SECRET),)))
    await tried(
        intent.ListIntents(
            intent_pb2.ListIntentsRequest(), metadata=(*metadata, ("x-note", PHONE), ("x-bankai-a", CARD))
        )
    )
    await tried(channel.unary_unary(f"/bankai.intent.v1.IntentService/{PHONE}", bytes, bytes)(b"", metadata=metadata))
    return trace_id


async def scraped(port: int) -> str:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/metrics") as response:
        return await response.text()


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_nothing_personal_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log: list[str] = []
    ports = free_ports(len(PROCESSES))
    async with collecting() as (collector, endpoint):
        for process, port in zip(PROCESSES, ports, strict=True):
            monkeypatch.setenv(f"BANKAI_{process}_LOG__LEVEL", "debug")
            monkeypatch.setenv(f"BANKAI_{process}_SERVER__METRICS_LISTEN", f"127.0.0.1:{port}")
            monkeypatch.setenv(f"BANKAI_{process}_TELEMETRY__OTLP_ENDPOINT", endpoint)
        stack = plan(0, tmp_path)
        async with Supervisor(stack.processes, lambda _name, line: log.append(line)) as supervisor:
            await supervisor.started()
            async with grpc.aio.insecure_channel(stack.connection.address) as channel:
                trace_id = await speak(channel, stack.connection.metadata)
            metrics = [await scraped(port) for port in ports]
            await supervisor.drain()
    written = {
        "logs": "\n".join(log),
        "metrics": "\n".join(metrics),
        "traces": "\n".join(raw.decode("utf-8", "replace") for raw in collector.received),
        "audit": "\n".join(file.read_text() for file in (tmp_path / "audit").glob("*") if file.is_file()),
    }
    found = [(place, secret) for place, text in written.items() for secret in PLANTED if secret in text]
    assert found == []
    assert stack.connection.api_key is not None
    assert stack.connection.api_key.split("_", 2)[2] not in "".join(written.values())
    # What was looked through is what there is to see.
    assert "/bankai.intent.v1.IntentService/StreamCall" in written["logs"]
    assert 'bankai_gateway_calls_total{channel="dev"' in written["metrics"]
    assert '"channel":"dev"' in written["audit"]
    names = collector.span_names_by_trace()[bytes.fromhex(trace_id)]
    assert names == {"bankai.intent.v1.IntentService/Classify", "infer intent"}
