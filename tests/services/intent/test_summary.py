import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intent.call import CallState
from services.intent.segment import Segment, Speaker
from services.intent.summary import summarise, talk_shares
from tests.services.intent.utterances import analysis, call


def test_intents_in_the_order_in_which_they_came_up() -> None:
    state = call(analysis("chitchat"), analysis("b", probability=0.6), analysis("a", "b"), analysis("a"))
    summary = summarise("call", state)
    assert list(summary.intents) == ["chitchat", "b", "a"]
    assert summary.intents["b"].first_segment_id == "1"
    assert summary.intents["b"].probability == 0.9
    assert summary.intents["a"].count == 2
    assert summary.version == "7"


@pytest.mark.parametrize(
    ("utterances", "left_open"),
    [
        ([], []),
        ([analysis("a")], ["a"]),
        ([analysis("a"), analysis("chitchat")], []),
        ([analysis("a"), analysis("b")], ["b"]),
        ([analysis("a"), analysis("chitchat", emotion="angry")], ["a"]),
        ([analysis("a"), analysis("chitchat"), analysis("chitchat", emotion="disappointed")], ["a"]),
        ([analysis("a", emotion="satisfied")], []),
        ([analysis("a"), analysis("b"), analysis("a"), analysis("chitchat")], ["a"]),
        ([analysis("a"), analysis("b"), analysis("a"), analysis("chitchat", emotion="satisfied")], []),
        ([analysis("out_of_scope")], []),
        ([analysis("human_agent", emotion="angry")], ["human_agent"]),
    ],
)
def test_what_stayed_open(utterances: list[object], left_open: list[str]) -> None:
    assert list(summarise("call", call(*utterances)).open_intent_ids) == left_open  # type: ignore[arg-type]


def segment(speaker: Speaker, text: str, start_ms: int = 0, end_ms: int = 0) -> Segment:
    return Segment("x", speaker, text, is_final=True, start_ms=start_ms, end_ms=end_ms)


def test_talk_share_is_of_time_where_every_segment_has_one() -> None:
    state = CallState()
    state.apply(segment(Speaker.CALLER, "一二三四五六", 0, 1000), analysis())
    state.apply(segment(Speaker.AGENT, "一", 1000, 4000), None)
    assert talk_shares(state) == (0.25, 0.75)
    state.apply(segment(Speaker.AGENT, "二"), None)
    assert talk_shares(state) == (0.75, 0.25)


def test_the_unspecified_speaker_is_the_caller() -> None:
    state = CallState()
    state.apply(segment(Speaker.UNSPECIFIED, "一二"), analysis())
    assert talk_shares(state) == (1.0, 0.0)


@given(st.lists(st.tuples(st.booleans(), st.text(min_size=1, max_size=9), st.integers(-5, 9), st.integers(-5, 9))))
def test_shares_sum_to_one_unless_nothing_was_said(segments: list[tuple[bool, str, int, int]]) -> None:
    state = CallState()
    for by_agent, text, start, end in segments:
        speaker = Speaker.AGENT if by_agent else Speaker.CALLER
        state.apply(segment(speaker, text, start, end), None if by_agent else analysis())
    shares = talk_shares(state)
    assert sum(shares) == pytest.approx(1) or shares == (0, 0)
    assert summarise("call", state).segments == len(segments)
