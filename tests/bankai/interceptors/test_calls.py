"""What the chain knows and says of a call: its time, its id, its trace, its log line and its metrics."""

import asyncio
import math
from typing import Any

import grpc
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import REGISTRY

from bankai import errors, status
from bankai.intent.v1 import intent_pb2
from bankai.interceptors import default_interceptors, outgoing_metadata
from bankai.interceptors.deadline import remaining, shorten
from bankai.interceptors.request_id import HEADER
from bankai.settings import ServerSettings
from tests.bankai.logs import Logs
from tests.bankai.toy import CLASSIFY, SERVICE, classify, segment, serving, stream, stub

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE_ID}-b7ad6b7169203331-01"


async def test_a_unary_call_without_a_deadline_gets_one() -> None:
    async with serving(default_deadline_s=0.2) as (toy, _, channel):
        toy.actions["slow"] = lambda _context: asyncio.sleep(30)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await classify(channel, "slow")
    error = status.from_rpc_error(caught.value)
    assert isinstance(error, errors.DeadlineError)
    assert error.reason == "DEADLINE_EXCEEDED"
    assert 0 < toy.remaining[0] <= 0.2


async def test_a_server_may_leave_the_default_to_its_handlers_which_may_only_shorten() -> None:
    def shortened(_context: Any) -> None:
        before = remaining()
        shorten(5)
        shorten(50)
        left.append((before, remaining()))

    left: list[tuple[float, float]] = []

    def chain(settings: ServerSettings) -> list[grpc.aio.ServerInterceptor]:
        return default_interceptors(settings, default_deadline=False)

    async with serving(chain=chain, default_deadline_s=0.001) as (toy, _, channel):
        toy.actions["x"] = shortened
        await classify(channel, "x")
        await classify(channel, "x", timeout=3)
    assert left[0][0] == math.inf
    assert 4 < left[0][1] <= 5
    assert left[1][0] >= left[1][1] > 0
    assert left[1][1] < 4


async def test_the_clients_deadline_is_kept_and_known(logs: Logs) -> None:
    ended: asyncio.Queue[str] = asyncio.Queue()

    async def slow(_context: Any) -> None:
        try:
            await asyncio.sleep(30)
        finally:
            ended.put_nowait("cancelled")

    async with serving(default_deadline_s=0.1) as (toy, _, channel):
        toy.actions["slow"] = slow
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await classify(channel, "slow", timeout=1.5)
        assert await asyncio.wait_for(ended.get(), 5) == "cancelled"
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert 0.1 < toy.remaining[0] < 1.6  # grpc rounds what it sends up
    assert [line["code"] for line in logs.lines("call")] == ["DEADLINE_EXCEEDED"]


async def test_a_handlers_own_timeout_is_not_the_deadline() -> None:
    async def own(_context: Any) -> None:
        raise TimeoutError

    async with serving() as (toy, _, channel):
        toy.actions["x"] = own
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await classify(channel, "x")
    assert caught.value.code() is grpc.StatusCode.INTERNAL


async def test_a_stream_without_a_deadline_has_none() -> None:
    left: list[float] = []

    def look(_context: Any) -> None:
        left.append(remaining())

    async with serving(default_deadline_s=0.1) as (toy, _, channel):
        toy.actions["x"] = look
        call = stub(channel).StreamCall()
        await call.write(segment("x"))
        await call.read()
        await asyncio.sleep(0.3)
        await call.done_writing()
        assert (await call.read()).HasField("summary")
    assert left == [math.inf]


async def test_calls_beyond_the_limit_are_refused_but_not_health_checks() -> None:
    async with serving(max_concurrent_rpcs=1) as (_, _, channel):
        call = stub(channel).StreamCall()
        await call.write(segment("1"))
        await call.read()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await classify(channel)
        error = status.from_rpc_error(caught.value)
        assert isinstance(error, errors.ExhaustedError)
        assert (error.reason, error.retry_after) == ("TOO_MANY_CALLS", 1.0)
        await channel.unary_unary("/grpc.health.v1.Health/Check")(b"")
        await call.done_writing()
        await call.read()
        assert await call.read() is grpc.aio.EOF
        await classify(channel)


@pytest.mark.parametrize("given", ["", "abc-123", "ä", "x" * 129, "a b"])
async def test_every_call_has_an_id(given: str, logs: Logs) -> None:
    seen: list[tuple[tuple[str, str], ...]] = []
    async with serving() as (toy, _, channel):
        toy.actions["x"] = lambda _context: seen.append(outgoing_metadata())
        metadata = ((HEADER, given),) if given.isascii() and given else ()
        call = stub(channel).Classify(intent_pb2.ClassifyRequest(text="x"), metadata=metadata)
        await call
        request_id = dict(await call.trailing_metadata())[HEADER]
    assert (request_id == given) is (given == "abc-123")
    assert request_id
    assert seen == [((HEADER, request_id),)]
    (line,) = logs.lines("call")
    assert line["request_id"] == request_id


async def test_the_log_line_says_what_happened_and_not_what_was_said(logs: Logs) -> None:
    async with serving() as (_, _, channel):
        await classify(channel, "我的卡丢了", metadata=(("traceparent", TRACEPARENT),))
        await stream(channel, "1", "2", "3")
        await channel.unary_unary("/grpc.health.v1.Health/Check")(b"")
    unary, bidi, health = logs.lines("call")
    assert unary["method"] == CLASSIFY
    assert (unary["code"], unary["level"], unary["received"], unary["sent"]) == ("OK", "info", 1, 1)
    assert unary["trace_id"] == TRACE_ID
    assert unary["ms"] >= 0
    assert unary["peer"].startswith("ipv4:127.0.0.1:")
    assert (bidi["received"], bidi["sent"]) == (3, 4)
    assert health["level"] == "debug"
    assert "卡丢" not in logs.text


def sample(name: str, method: str, kind: str, **labels: str) -> float:
    labels |= {"grpc_service": SERVICE, "grpc_method": method, "grpc_type": kind}
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_calls_and_messages_are_counted_as_they_happen() -> None:
    def numbers() -> dict[str, float]:
        return {
            "started": sample("grpc_server_started_total", "Classify", "unary"),
            "ok": sample("grpc_server_handled_total", "Classify", "unary", grpc_code="OK"),
            "gone": sample("grpc_server_handled_total", "Classify", "unary", grpc_code="NOT_FOUND"),
            "timed": sample("grpc_server_handling_seconds_count", "Classify", "unary"),
            "received": sample("grpc_server_msg_received_total", "StreamCall", "bidi_stream"),
            "sent": sample("grpc_server_msg_sent_total", "StreamCall", "bidi_stream"),
            "in_flight": sample("grpc_server_in_flight", "StreamCall", "bidi_stream"),
        }

    def gone(_context: Any) -> None:
        raise errors.NotFoundError("GONE", "gone")

    before = numbers()
    async with serving() as (toy, _, channel):
        toy.actions["gone"] = gone
        await classify(channel)
        with pytest.raises(grpc.aio.AioRpcError):
            await classify(channel, "gone")
        call = stub(channel).StreamCall()
        for number in range(5):
            await call.write(segment(str(number)))
            await call.read()
        during = {name: value - before[name] for name, value in numbers().items()}
    assert during == {"started": 2, "ok": 1, "gone": 1, "timed": 2, "received": 5, "sent": 5, "in_flight": 1}
    assert numbers()["in_flight"] == before["in_flight"]


async def test_a_trace_is_handed_on_while_tracing_is_off() -> None:
    seen: list[dict[str, str]] = []
    async with serving() as (toy, _, channel):
        toy.actions["x"] = lambda _context: seen.append(dict(outgoing_metadata()))
        await classify(channel, "x", metadata=(("traceparent", TRACEPARENT), ("tracestate", "a=b")))
        await classify(channel, "x", metadata=(("traceparent", "nonsense"),))
        await classify(channel, "x")
    assert (seen[0]["traceparent"], seen[0]["tracestate"]) == (TRACEPARENT, "a=b")
    assert "traceparent" not in seen[1]
    assert "traceparent" not in seen[2]


async def test_spans_follow_the_callers_trace_and_keep_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr("opentelemetry.trace.get_tracer", provider.get_tracer)
    seen: list[dict[str, str]] = []

    def fail(_context: Any) -> None:
        seen.append(dict(outgoing_metadata()))
        raise ValueError("13812345678")

    async with serving(chain=lambda settings: default_interceptors(settings, record_spans=True)) as (toy, _, channel):
        toy.actions["x"] = fail
        await classify(channel, metadata=(("traceparent", TRACEPARENT),))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await classify(channel, "x", metadata=(("traceparent", TRACEPARENT),))
        call = stub(channel).StreamCall()
        await call.write(segment("1"))
        await call.read()
        call.cancel()
        assert await asyncio.wait_for(toy.ends.get(), 5) == "cancelled"
    assert ("x-trace-id", TRACE_ID) in tuple(caught.value.trailing_metadata())
    first, second, third = exporter.get_finished_spans()
    assert first.name == CLASSIFY[1:]
    assert f"{first.context.trace_id:032x}" == TRACE_ID
    assert first.attributes is not None
    assert first.attributes["rpc.grpc.status_code"] == 0
    assert second.status.is_ok is False
    assert second.attributes is not None
    assert second.attributes["error.type"] == "INTERNAL"
    assert "13812345678" not in second.to_json()
    assert seen[0]["traceparent"].startswith(f"00-{TRACE_ID}-{second.context.span_id:016x}")
    assert third.attributes is not None
    assert third.attributes["rpc.grpc.status_code"] == 1
