import asyncio

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bankai.errors import FaultError, UnavailableError
from bankai.inference.backend import InferenceResult, Tensors
from services.intent.analysis import Analysis, IntentScore
from services.intent.classifier import UtteranceClassifier
from services.intent.context import carry_on, fuse
from tests.services.intent.fakes import INTENTS, KeywordBackend


def held(analysis: Analysis) -> list[str]:
    return [score.intent_id for score in analysis.held]


async def test_what_is_said_holds_and_the_rest_runs_up(classifier: UtteranceClassifier) -> None:
    analysis = await classifier.full("我要挂失 顺便问余额 气死了", {}, 1)
    assert held(analysis) == ["card_loss_report", "balance_inquiry"]
    assert len(analysis.intents) == len(INTENTS)
    probabilities = [score.probability for score in analysis.intents]
    assert probabilities == sorted(probabilities, reverse=True)
    assert analysis.emotion.emotion_id == "angry"
    assert analysis.emotion.scores["angry"] == pytest.approx(0.9)
    assert sum(analysis.emotion.scores.values()) == pytest.approx(1)
    assert (analysis.model, analysis.version, analysis.carried) == ("intent", "7", False)


async def test_each_kind_has_its_model(classifier: UtteranceClassifier, backend: KeywordBackend) -> None:
    assert (await classifier.partial("挂失", 1)).model == "intent_partial"
    assert (await classifier.full("挂失", {}, 1)).model == "intent"
    assert backend.asked == ["intent_partial", "intent"]


async def test_the_best_always_holds_and_out_of_scope_stands_alone(classifier: UtteranceClassifier) -> None:
    unsure = await classifier.full("那啥", {}, 1)
    assert held(unsure) == ["chitchat"]
    assert unsure.intents[0].probability < 0.5
    outside = await classifier.full("天气咋样", {}, 1)
    assert held(outside) == ["out_of_scope"]
    assert outside.out_of_scope_probability == pytest.approx(0.9)


async def test_small_talk_beside_a_request_does_not_hold(classifier: UtteranceClassifier) -> None:
    assert held(await classifier.full("你好我要挂失", {}, 1)) == ["card_loss_report"]


@pytest.mark.parametrize("text", ["对 就是那张", "对", "是的", "尾号四幺七二", "yes that one"])
async def test_context_decides_what_the_text_leaves_open(classifier: UtteranceClassifier, text: str) -> None:
    carry = await classifier.carry(["我要挂失"], 1)
    analysis = await classifier.full(text, carry, 1)
    assert held(analysis)[0] == "card_loss_report"
    assert analysis.carried
    assert analysis.intents[0].probability < 0.9


async def test_context_does_not_touch_what_is_said(classifier: UtteranceClassifier) -> None:
    carry = await classifier.carry(["我要挂失", "", "对"], 1)
    for text in ("查一下余额", "天气咋样", "谢谢啊", "你好"):
        alone, after = await classifier.full(text, {}, 1), await classifier.full(text, carry, 1)
        assert held(alone) == held(after)
        assert not after.carried
        for one, other in zip(sorted(map(repr, alone.intents)), sorted(map(repr, after.intents)), strict=True):
            assert one.split(",")[0] == other.split(",")[0]


async def test_context_fades(classifier: UtteranceClassifier) -> None:
    fresh = await classifier.carry(["我要挂失"], 1)
    stale = await classifier.carry(["我要挂失", "查余额", "查余额"], 1)
    assert stale["card_loss_report"] < fresh["card_loss_report"]
    assert held(await classifier.full("对 就是那个", stale, 1))[0] == "balance_inquiry"


async def test_no_context_is_no_request(classifier: UtteranceClassifier, backend: KeywordBackend) -> None:
    assert await classifier.carry([" ", ""], 1) == {}
    assert backend.asked == []


@given(st.text(min_size=1, max_size=40), st.lists(st.sampled_from(["挂失", "余额", "嗯", "天气"]), max_size=4))
def test_probabilities_stay_probabilities(text: str, context: list[str]) -> None:
    rng = np.random.default_rng(len(text))
    carry: dict[str, float] = {}
    for _ in context:
        carry = carry_on(carry, [IntentScore(intent, rng.random(), holds=False) for intent in INTENTS])
    own = rng.random(len(INTENTS))
    fused = fuse(text, own, {intent: index for index, intent in enumerate(INTENTS)}, carry)
    assert ((fused >= 0) & (fused <= 1)).all()
    open_share = 1 - own[[index for index, intent in enumerate(INTENTS) if intent != "chitchat"]].max()
    assert (np.abs(fused - own) <= open_share + 1e-9).all()


async def test_failures_pass_through(classifier: UtteranceClassifier, backend: KeywordBackend) -> None:
    backend.failures.append(UnavailableError("INFERENCE_UNAVAILABLE", "down"))
    with pytest.raises(UnavailableError):
        await classifier.full("挂失", {}, 1)


@pytest.mark.parametrize("output", ["intent_probs", "emotion_probs", "intensity"])
async def test_an_answer_that_cannot_be_read_is_our_fault(
    classifier: UtteranceClassifier, backend: KeywordBackend, output: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = backend.infer

    async def broken(model: str, inputs: Tensors, *, timeout: float) -> InferenceResult:  # noqa: ASYNC109
        result = await good(model, inputs, timeout=timeout)
        result.outputs[output] = result.outputs[output] * float("nan")
        return result

    monkeypatch.setattr(backend, "infer", broken)
    with pytest.raises(FaultError) as caught:
        await classifier.full("挂失", {}, 1)
    assert caught.value.reason == "INFERENCE_FAILED"


async def test_cancelling_gives_the_request_up(classifier: UtteranceClassifier, backend: KeywordBackend) -> None:
    backend.gate.clear()
    task = asyncio.create_task(classifier.full("挂失", {}, 1))
    await asyncio.sleep(0)
    assert backend.running == 1
    task.cancel()
    await asyncio.wait((task,))
    assert backend.running == 0
