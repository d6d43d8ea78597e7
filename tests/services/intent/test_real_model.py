"""The shipped models behind the real service, end to end."""

from pathlib import Path
from typing import Any

import grpc
import pytest

from bankai.intent.v1 import intent_pb2 as pb
from bankai.intent.v1 import intent_pb2_grpc
from bankai.settings import InferenceSettings
from services.intent.app import serving
from services.intent.settings import IntentSettings
from tests.services.intent.streams import CallDriver, final, partial

MODELS = InferenceSettings().models_dir

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not Path(MODELS, "intent").is_dir(), reason="models/intent is not there yet: run the intent training"
    ),
]


@pytest.fixture
async def stub() -> Any:
    settings = IntentSettings.model_validate({"server": {"listen": "127.0.0.1:0", "drain_grace_s": 0}})
    async with serving(settings) as server:
        port = await server.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield intent_pb2_grpc.IntentServiceStub(channel)
        await server.stop_now()


@pytest.mark.parametrize(
    ("text", "intent", "emotion"),
    [
        ("我的卡丢了 帮我挂失一下", "card_loss_report", None),
        ("卡里还有多少钱", "balance_inquiry", "neutral"),
        ("别跟我说了 给我转人工", "human_agent", None),
        ("今天天气怎么样", "out_of_scope", "neutral"),
        ("你们什么破银行 扣我钱也不说一声 气死我了", None, "angry"),
        ("谢谢你啊 太好了 帮了大忙了", "chitchat", "satisfied"),
    ],
)
async def test_plain_utterances(stub: Any, text: str, intent: str | None, emotion: str | None) -> None:
    analysis = (await stub.Classify(pb.ClassifyRequest(text=text), timeout=30)).analysis
    if intent:
        assert analysis.intents[0].intent_id == intent
    if emotion:
        assert analysis.emotion.emotion_id == emotion
    assert sum(score.probability for score in analysis.emotion.scores) == pytest.approx(1, abs=1e-3)


async def test_context(stub: Any) -> None:
    request = pb.ClassifyRequest(text="对 就是那张", context=["我那张信用卡丢了要挂失"])
    analysis = (await stub.Classify(request, timeout=30)).analysis
    assert analysis.intents[0].intent_id == "card_loss_report"


@pytest.mark.parametrize("text", ["😀😀🎉", "。。。", "my card 丢了 please help", "卡" * 2000, "1"])
async def test_unusual_text(stub: Any, text: str) -> None:
    analysis = (await stub.Classify(pb.ClassifyRequest(text=text), timeout=30)).analysis
    assert analysis.intents[0].holds


async def test_a_call_of_a_caller_who_is_being_defrauded(stub: Any) -> None:
    async with CallDriver(stub, "real") as call:
        await call.ask(partial("1", "我被骗"))
        answer = await call.ask(final("1", "我被骗了 刚刚转了四万八出去 快帮我拦下来"))
        assert pb.ESCALATION_REASON_SUSPECTED_FRAUD in answer.call.escalation.reasons
        summary = await call.finish()
    assert summary.main_intent_id == "fraud_report"
    assert summary.segment_count == 1
