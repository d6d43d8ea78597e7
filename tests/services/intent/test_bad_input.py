"""What must not harm: a clear status or a sensible answer, through real gRPC, and no other call notices."""

import asyncio
from contextlib import suppress
from typing import Any

import grpc
import pytest
from prometheus_client import REGISTRY

from bankai.errors import BankaiError
from bankai.intent.v1 import intent_pb2 as pb
from bankai.status import from_rpc_error
from services.intent import servicer
from tests.services.intent.conftest import Service, Start
from tests.services.intent.streams import CallDriver, final, partial

CLASSIFY = "/bankai.intent.v1.IntentService/Classify"
STREAM = "/bankai.intent.v1.IntentService/StreamCall"


async def refusal(call: Any) -> BankaiError:
    with pytest.raises(grpc.RpcError) as caught:
        await call
    return from_rpc_error(caught.value)


@pytest.mark.parametrize(
    ("request_", "reason", "field"),
    [
        (pb.ClassifyRequest(text=""), "EMPTY_TEXT", "text"),
        (pb.ClassifyRequest(text=" \u200b\n "), "EMPTY_TEXT", "text"),
        (pb.ClassifyRequest(text="卡" * 2001), "TEXT_TOO_LONG", "text"),
        (pb.ClassifyRequest(text="卡" * 100_000), "TEXT_TOO_LONG", "text"),
        (pb.ClassifyRequest(text="卡", language="fr"), "UNSUPPORTED_LANGUAGE", "language"),
        (pb.ClassifyRequest(text="卡", context=["嗯"] * 21), "CONTEXT_TOO_LONG", "context"),
        (pb.ClassifyRequest(text="卡", context=["嗯", "嗯" * 2001]), "CONTEXT_TOO_LONG", "context[1]"),
    ],
)
async def test_classify_refuses_with_the_field(
    service: Service, request_: pb.ClassifyRequest, reason: str, field: str
) -> None:
    error = await refusal(service.stub.Classify(request_))
    assert (error.code, error.reason) == (grpc.StatusCode.INVALID_ARGUMENT, reason)
    assert [violation.field for violation in error.violations] == [field]


@pytest.mark.parametrize("text", ["😀😀🎉", "。。。！？", "我的card丢了 please 挂失 it", "𠮷野家", "12345", "e\u0301"])
async def test_classify_answers_unusual_text(service: Service, text: str) -> None:
    response = await service.stub.Classify(pb.ClassifyRequest(text=text))
    assert response.analysis.intents[0].holds
    assert 0 <= response.analysis.out_of_scope_probability <= 1


async def test_text_that_is_not_utf8_is_refused(service: Service) -> None:
    call: Any = service.channel.unary_unary(CLASSIFY)
    error = await refusal(call(b"\x0a\x02\xff\xfe"))
    assert error.code is grpc.StatusCode.INVALID_ARGUMENT
    assert error.reason != error.code.name  # one of ours


async def test_a_stream_message_that_is_not_utf8_ends_only_its_stream(service: Service) -> None:
    async with CallDriver(service.stub, "good") as good:
        raw: Any = service.channel.stream_stream(STREAM)(timeout=5)
        await raw.write(pb.StreamCallRequest(config=pb.CallConfig(call_id="bad")).SerializeToString())
        await raw.read()
        await raw.write(b"\x12\x06\x0a\x01a\x1a\x01\xff")
        error = await refusal(raw.read())
        assert error.code is grpc.StatusCode.INVALID_ARGUMENT
        await good.send(final("1", "挂失"))
        assert (await good.receive()).analysis.call.main_intent_id == "card_loss_report"


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([pb.StreamCallRequest(segment=pb.Segment(segment_id="1", text="卡"))], "CONFIG_REQUIRED"),
        ([pb.StreamCallRequest()], "CONFIG_REQUIRED"),
        ([], "CONFIG_REQUIRED"),
        ([pb.StreamCallRequest(config=pb.CallConfig())], "CALL_ID_REQUIRED"),
        ([pb.StreamCallRequest(config=pb.CallConfig(call_id="x" * 129))], "CALL_ID_REQUIRED"),
        ([pb.StreamCallRequest(config=pb.CallConfig(call_id="x", language="de"))], "UNSUPPORTED_LANGUAGE"),
        ([pb.StreamCallRequest(config=pb.CallConfig(call_id="x"))] * 2, "CONFIG_REPEATED"),
    ],
)
async def test_a_stream_must_begin_with_one_good_config(
    service: Service, messages: list[pb.StreamCallRequest], reason: str
) -> None:
    async def read_all() -> None:
        async for _ in service.stub.StreamCall(iter(messages), timeout=5):
            pass

    error = await refusal(read_all())
    assert (error.code, error.reason) == (grpc.StatusCode.INVALID_ARGUMENT, reason)


async def test_unusable_segments_are_rejected_and_the_call_goes_on(service: Service) -> None:
    async with CallDriver(service.stub, "call") as call:
        for segment, reason in [
            (final("", "卡"), "SEGMENT_ID_REQUIRED"),
            (final("x" * 129, "卡"), "SEGMENT_ID_REQUIRED"),
            (pb.Segment(), None),  # an empty partial
            (final("1", ""), "EMPTY_TEXT"),
            (final("1", "卡" * 2001), "TEXT_TOO_LONG"),
            (final("1", "挂失"), None),
            (final("1", "余额"), "SEGMENT_FINAL"),
        ]:
            await call.send(segment)
            answer = await call.receive()
            if reason:
                assert (answer.rejected.segment_id, answer.rejected.reason) == (segment.segment_id, reason)
        summary = await call.finish()
        assert summary.segment_count == 1
        assert [intent.intent_id for intent in summary.intents] == ["card_loss_report"]


async def test_a_repeated_final_is_answered_again_and_counted_once(service: Service) -> None:
    async with CallDriver(service.stub, "call") as call:
        first = await call.ask(final("1", "挂失 气死"))
        await call.ask(final("2", "余额"))
        assert await call.ask(final("1", "挂失 气死")) == first
        assert (await call.finish()).segment_count == 2


async def test_a_partial_after_its_final_changes_nothing(service: Service) -> None:
    async with CallDriver(service.stub, "call") as call:
        await call.ask(final("1", "挂失"))
        await call.send(partial("1", "余额"))
        assert (await call.receive()).rejected.reason == "SEGMENT_FINAL"
        assert (await call.finish()).main_intent_id == "card_loss_report"


async def test_segments_out_of_order_by_time_are_taken_as_they_come(service: Service) -> None:
    async with CallDriver(service.stub, "call") as call:
        await call.ask(final("2", "挂失", start_ms=5000, end_ms=6000))
        await call.ask(final("1", "余额", start_ms=1000, end_ms=2000))
        summary = await call.finish()
        assert [point.segment_id for point in summary.emotional_course] == ["2", "1"]
        assert summary.talk_share.caller == 1.0


async def test_too_many_segments(start: Start) -> None:
    service = await start(stream={"max_segments": 2})
    async with CallDriver(service.stub, "call") as call:
        for number in range(2):
            await call.ask(final(str(number), "挂失"))
        await call.send(final("more", "挂失"))
        assert (await call.receive()).rejected.reason == "TOO_MANY_SEGMENTS"
        assert (await call.finish()).segment_count == 2


@pytest.mark.slow
async def test_ten_thousand_segments_at_once_harm_no_other_call(start: Start) -> None:
    service = await start(stream={"max_segments": 10_000})

    async def flood() -> pb.CallSummary:
        async with CallDriver(service.stub, "flood") as call:

            async def send() -> None:
                for number in range(10_000):
                    await call.send(final(str(number), "挂失"))

            sending = asyncio.create_task(send())
            for number in range(10_000):
                assert (await call.receive()).analysis.segment_id == str(number)
            await sending
            return await call.finish()

    flooding = asyncio.create_task(flood())
    async with CallDriver(service.stub, "calm") as calm:
        for number in range(10):
            async with asyncio.timeout(5):
                await calm.ask(final(str(number), "余额"))
            await asyncio.sleep(0.05)
        assert (await calm.finish()).segment_count == 10
    assert (await flooding).segment_count == 10_000


def in_flight() -> float:
    labels = {
        "grpc_service": "bankai.intent.v1.IntentService",
        "grpc_method": "StreamCall",
        "grpc_type": "bidi_stream",
    }
    value = REGISTRY.get_sample_value("grpc_server_in_flight", labels)
    assert value is not None
    return value


# With the smallest window, a client's library takes in little of what its user does not read.
SMALL_WINDOW = [("grpc.use_local_subchannel_pool", 1), ("grpc.http2.bdp_probe", 0)]


@pytest.mark.parametrize("reads_late", [True, False])
async def test_a_client_that_does_not_read_is_cut_off(
    start: Start, monkeypatch: pytest.MonkeyPatch, *, reads_late: bool
) -> None:
    monkeypatch.setattr(servicer, "_STATUS_S", 30.0 if reads_late else 0.2)
    service = await start(stream={"client_timeout_s": 0.3, "max_segments": 100_000})
    async with grpc.aio.insecure_channel(service.address, options=SMALL_WINDOW) as channel:
        raw: Any = channel.stream_stream(STREAM)()
        await raw.write(pb.StreamCallRequest(config=pb.CallConfig(call_id="deaf")).SerializeToString())
        for number in range(400):
            await raw.write(pb.StreamCallRequest(segment=final(str(number), "挂失")).SerializeToString())
        async with CallDriver(service.stub, "other") as other:
            await other.ask(final("1", "余额"))
            if reads_late:
                await asyncio.sleep(2)
                with suppress(grpc.RpcError):
                    while await raw.read() is not grpc.aio.EOF:
                        pass
                assert await raw.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            else:  # its status never reaches it, but the server holds nothing for it any more
                async with asyncio.timeout(10):
                    while in_flight() > 1:  # noqa: ASYNC110  # a metric has no event
                        await asyncio.sleep(0.05)
            await other.ask(final("2", "余额"))


async def test_a_client_that_vanishes_leaves_its_call_for_the_next_stream(service: Service) -> None:
    gone = CallDriver(service.stub, "call")
    await gone.open()
    await gone.ask(final("1", "挂失"))
    gone.cancel()
    async with CallDriver(service.stub, "call", resume="1") as call:
        assert call.accepted.resumed
        assert call.accepted.last_segment_id == "1"
        assert (await call.finish()).segment_count == 1


async def test_a_silent_stream_is_ended(start: Start) -> None:
    service = await start(stream={"idle_timeout_s": 1.0})
    async with CallDriver(service.stub, "call") as call:
        await call.ask(final("1", "挂失"))
        error = await refusal(call.receive())
    assert (error.code, error.reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "STREAM_IDLE")
    error = await refusal(service.stub.StreamCall(timeout=5).read())
    assert error.reason == "STREAM_IDLE"
