"""The rules replayed on the written calls with their written labels: what thresholds were chosen on must stay true."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.intent.call import CallState
from services.intent.segment import Segment, Speaker
from tests.services.intent.utterances import analysis

CALLS = Path(__file__).parents[3] / "training" / "intent" / "corpus" / "calls"


def replay(turns: list[dict[str, Any]]) -> CallState:
    state = CallState()
    for number, turn in enumerate(turns):
        said = None if turn["speaker"] == "agent" else analysis(*turn["intents"], emotion=turn["emotion"])
        speaker = Speaker.AGENT if said is None else Speaker.CALLER
        state.apply(Segment(str(number), speaker, turn["text"], is_final=True), said)
    return state


@pytest.fixture(scope="module")
def replayed() -> list[tuple[dict[str, Any], CallState]]:
    files = [CALLS / "train.jsonl", CALLS / "val.jsonl"]
    calls = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    return [(call, replay(call["turns"])) for call in calls]


def test_escalation(replayed: list[tuple[dict[str, Any], CallState]]) -> None:
    advised = [bool(state.escalations) for _, state in replayed]
    wanted = [call["should_escalate"] for call, _ in replayed]
    right = sum(one and other for one, other in zip(advised, wanted, strict=True))
    assert right / sum(advised) >= 0.9
    assert right / sum(wanted) >= 0.9


def test_main_intent(replayed: list[tuple[dict[str, Any], CallState]]) -> None:
    right = sum(state.main.intent_id == call["call_intent"] for call, state in replayed)
    assert right / len(replayed) >= 0.95


def test_a_call_that_ends_well_is_not_escalated_any_more(replayed: list[tuple[dict[str, Any], CallState]]) -> None:
    assert not any(state.view().advised for call, state in replayed if call["emotion_end"] == "satisfied")
