import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intent.analysis import Analysis
from services.intent.cues import hints_at_fraud, points_back, says_again
from services.intent.escalation import Reason
from services.intent.labels import EMOTIONS
from tests.services.intent.utterances import analysis, call

CALM = analysis("fee_dispute")
ANGRY = analysis("fee_dispute", emotion="angry", intensity=0.7)
THANKS = analysis("chitchat", emotion="satisfied", intensity=0.6)


def reasons(*utterances: Analysis | tuple[str, Analysis]) -> set[Reason]:
    return {point.reason for point in call(*utterances).escalations}


@pytest.mark.parametrize(
    "utterances",
    [
        [CALM, CALM, ANGRY, ANGRY],
        [analysis("fee_dispute", emotion="angry", intensity=0.4), ANGRY, analysis("x", emotion="angry", intensity=0.9)],
        [ANGRY] * 4,
        [ANGRY, ANGRY, CALM, ANGRY, ANGRY],
    ],
)
def test_anger_that_rises_or_stays(utterances: list[Analysis]) -> None:
    assert reasons(*utterances) == {Reason.ANGRY_AND_RISING}


@pytest.mark.parametrize(
    "utterances",
    [
        [ANGRY, ANGRY],
        [ANGRY, ANGRY, ANGRY, CALM, CALM],
        [CALM, CALM, ANGRY],
        [CALM, analysis("x", emotion="angry", intensity=0.3), analysis("x", emotion="angry", intensity=0.3)],
    ],
)
def test_anger_that_passes(utterances: list[Analysis]) -> None:
    assert not reasons(*utterances)


def test_fraud_needs_distress_or_a_cue() -> None:
    afraid = analysis("fraud_report", emotion="anxious", intensity=0.5)
    assert reasons(afraid) == {Reason.SUSPECTED_FRAUD}
    assert not reasons(analysis("fraud_report"), analysis("fraud_report", emotion="confused"))
    assert not reasons(analysis("fraud_report", emotion="anxious", probability=0.4))
    kept_quiet = ("他让我转到安全账户 不能跟别人说", analysis("transfer_howto"))
    assert not reasons(kept_quiet)
    assert reasons(kept_quiet, analysis("fraud_report", probability=0.3)) == {Reason.SUSPECTED_FRAUD}
    afraid_too = ("有警官证的", analysis("transfer_howto", emotion="anxious"))
    assert reasons(kept_quiet, afraid_too) == {Reason.SUSPECTED_FRAUD}
    assert not reasons(afraid_too)
    assert not reasons(analysis("fraud_report", emotion="angry"))  # "you swindlers"


def test_asking_for_a_human() -> None:
    assert reasons(analysis("human_agent")) == {Reason.ASKS_FOR_HUMAN}
    in_passing = analysis("password_reset", "human_agent", emotion="anxious")
    assert not reasons(in_passing)
    assert reasons(in_passing, in_passing) == {Reason.ASKS_FOR_HUMAN}
    assert reasons(analysis("password_reset", "human_agent", emotion="angry")) == {Reason.ASKS_FOR_HUMAN}
    matter, politely = analysis("password_reset"), ("今天就得用 能不能帮我接个人工问问", analysis("human_agent"))
    assert not reasons(matter, politely)
    assert reasons(matter, politely, politely) == {Reason.ASKS_FOR_HUMAN}
    assert reasons(matter, ("转人工", analysis("human_agent"))) == {Reason.ASKS_FOR_HUMAN}
    assert not reasons(analysis("human_agent", probability=0.5))
    assert not reasons(analysis("human_agent", carried=True))


def test_asking_again_and_again() -> None:
    fee, card = analysis("fee_dispute"), analysis("card_activation")
    assert not reasons(fee, fee, fee, fee)
    assert not reasons(fee, card, fee)
    assert not reasons(fee, analysis("chitchat"), fee, analysis("chitchat"), fee)
    assert reasons(fee, card, fee, card, fee) == {Reason.REPEATED_REQUEST}
    let_down = analysis("fee_dispute", emotion="disappointed", intensity=0.5)
    assert reasons(fee, card, let_down) == {Reason.REPEATED_REQUEST}
    assert reasons(fee, ("我都问了三遍了", fee)) == {Reason.REPEATED_REQUEST}
    assert not reasons(("我都问了三遍了", fee))


def test_advice_stays_until_the_caller_is_calm() -> None:
    heated = [CALM, ANGRY, ANGRY]
    state = call(*heated, CALM, analysis("chitchat"))
    assert state.view().advised
    assert state.view().escalation_segment_id == "2"
    assert not call(*heated, CALM, THANKS).view().advised
    assert not call(*heated, *[CALM] * 4).view().advised
    assert call(*heated, CALM, CALM, ANGRY, CALM).view().advised


def test_a_calm_victim_is_still_a_victim() -> None:
    afraid = analysis("fraud_report", emotion="anxious")
    assert call(afraid, *[analysis("fraud_report")] * 10).view().advised
    assert not call(afraid, CALM, THANKS).view().advised


def test_reasons_come_by_urgency_and_the_first_segment_stays() -> None:
    state = call(analysis("human_agent"), analysis("fraud_report", emotion="anxious"))
    view = state.view()
    assert view.reasons == (Reason.SUSPECTED_FRAUD, Reason.ASKS_FOR_HUMAN)
    assert view.escalation_segment_id == "0"
    assert [(point.segment_id, point.reason) for point in state.escalations] == [
        ("0", Reason.ASKS_FOR_HUMAN),
        ("1", Reason.SUSPECTED_FRAUD),
    ]


SAID = st.builds(
    analysis,
    st.sampled_from(["fee_dispute", "human_agent", "fraud_report", "chitchat"]),
    emotion=st.sampled_from(sorted(EMOTIONS)),
    intensity=st.floats(0, 1),
    probability=st.floats(0, 1),
)


@given(st.lists(SAID, max_size=25))
def test_advice_is_always_explained(utterances: list[Analysis]) -> None:
    state = call(*utterances)
    view = state.view()
    assert view.advised == bool(view.reasons) == bool(view.escalation_segment_id)
    assert set(view.reasons) <= {point.reason for point in state.escalations}
    if view.advised:
        assert view.escalation_segment_id in {point.segment_id for point in state.escalations}


@given(SAID)
def test_a_call_that_begins_calmly_gives_no_advice(first: Analysis) -> None:
    asked = first.intents[0].intent_id
    if asked == "fee_dispute":
        assert not reasons(first)


@pytest.mark.parametrize("text", ["他让我开屏幕共享", "公安局的警官", "我被骗了", "做任务返钱", "safe account"])
def test_fraud_cues(text: str) -> None:
    assert hints_at_fraud(text)


@pytest.mark.parametrize("text", ["验证码收不到", "共享单车押金", "我要改密码", "安全中心在哪", "视频里"])
def test_no_fraud_cues(text: str) -> None:
    assert not hints_at_fraud(text)


@pytest.mark.parametrize(
    "text", ["第三遍问了啊", "说过两次了", "问了你三四遍", "又要说一遍", "asked you twice already"]
)
def test_again_cues(text: str) -> None:
    assert says_again(text)


@pytest.mark.parametrize("text", ["我装了三遍了", "第一次打电话", "输错三次", "你再说一遍", "每月扣两次"])
def test_no_again_cues(text: str) -> None:
    assert not says_again(text)


@pytest.mark.parametrize("text", ["对", "对 就是那张", "嗯 是的", "就是那个", "yes that one"])
def test_pointing_back(text: str) -> None:
    assert points_back(text)


@pytest.mark.parametrize("text", ["对 没别的了", "好的谢谢", "知道了", "好嘞", "我要挂失", "是吧 谢谢再见"])
def test_not_pointing_back(text: str) -> None:
    assert not points_back(text)
