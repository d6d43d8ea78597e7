"""Labelled files of every wrong kind are refused with the line and the reason."""

import json
from pathlib import Path
from typing import Any

import pytest

from bankai.evaluation.inputs import BadInputError
from services.intent.evaluation.gold import Call, LabelSet, Turn, Utterance, read_calls, read_utterances

LABELS = LabelSet({"card_loss_report", "chitchat"}, {"neutral", "anxious"})


def turn(speaker: str, text: str, emotion: str | None = None) -> dict[str, Any]:
    return {"speaker": speaker, "text": text, "intents": [], "emotion": emotion}


CALL = {
    "turns": [turn("agent", "您好"), turn("caller", "卡丢了", "anxious")],
    "call_intent": "card_loss_report",
    "emotion_end": "anxious",
    "should_escalate": False,
}


def write(file: Path, *rows: object) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def test_good_lines(tmp_path: Path) -> None:
    rows: tuple[dict[str, Any], ...] = (
        {"text": "卡丢了", "intents": ["card_loss_report"], "emotion": "anxious", "intensity": 0.5, "batch": "x"},
        {"text": "嗯", "intents": [], "emotion": None},
    )
    assert read_utterances(write(tmp_path / "u.jsonl", *rows), LABELS) == [
        Utterance("卡丢了", ("card_loss_report",), "anxious"),
        Utterance("嗯", (), None),
    ]
    unlabelled = {"turns": [{"speaker": "caller", "text": "喂"}], "call_intent": None, "should_escalate": True}
    assert read_calls(write(tmp_path / "c.jsonl", CALL, unlabelled), LABELS) == [
        Call(
            (Turn("agent", "您好", None), Turn("caller", "卡丢了", "anxious")),
            "card_loss_report",
            should_escalate=False,
        ),
        Call((Turn("caller", "喂", None),), None, should_escalate=True),
    ]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"text": "卡", "intents": ["wings"], "emotion": None}, "'intents' names 'wings'"),
        ({"text": "卡", "intents": "chitchat"}, "'intents' must be a list of strings"),
        ({"text": "卡"}, "'intents' is missing"),
        ({"text": "卡", "intents": ["chitchat"], "emotion": "bored"}, "'emotion' names 'bored'"),
        ({"intents": ["chitchat"]}, "'text' is missing"),
        ({"text": "\u200b", "intents": []}, "'text' holds nothing that can be read"),
        ({"text": "x" * 2001, "intents": []}, "'text' has 2,001 characters"),
        ([], "must be a JSON object"),
    ],
)
def test_bad_utterances(tmp_path: Path, row: object, message: str) -> None:
    file = write(tmp_path / "u.jsonl", {"text": "卡", "intents": []}, row)
    with pytest.raises(BadInputError, match=f"line 2: {message}"):
        read_utterances(file, LABELS)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"turns": []}, "'turns' must be a list"),
        ({"turns": None}, "'turns' must be a list"),
        ({"should_escalate": "no"}, "'should_escalate' must be true or false"),
        ({"call_intent": "wings"}, "'call_intent' names 'wings'"),
        ({"turns": [turn("robot", "嗨")]}, "turn 1: 'speaker' must be"),
        ({"turns": [turn("caller", "嗨"), 7]}, "turn 2: must be an object"),
        ({"turns": [turn("caller", "嗨", "bored")]}, "turn 1: 'emotion' names 'bored'"),
        ({"turns": [{**turn("caller", "嗨"), "intents": ["wings"]}]}, "turn 1: 'intents' names"),
    ],
)
def test_bad_calls(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInputError, match=f"line 2: {message}"):
        read_calls(write(tmp_path / "c.jsonl", CALL, {**CALL, **changes}), LABELS)
