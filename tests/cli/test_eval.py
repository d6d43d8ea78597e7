"""`bankai eval` on a toy model: the metrics by hand, and every kind of bad input."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run, Write

UTTERANCES = [
    {"text": "我的卡丢了", "intents": ["card_loss_report"], "emotion": "anxious", "intensity": 0.5},
    {"text": "有人诈我 我要人工", "intents": ["fraud_report", "human_agent"], "emotion": "anxious"},
    {"text": "谢谢", "intents": ["chitchat"], "emotion": "neutral"},
    {"text": "我家猫跑了", "intents": ["out_of_scope"], "emotion": "neutral"},
    {"text": "你说什么", "intents": ["service_complaint"], "emotion": None},
    {"text": "烂", "intents": [], "emotion": "angry"},
]


def turn(speaker: str, text: str, emotion: str | None = None) -> dict[str, Any]:
    return {"speaker": speaker, "text": text, "intents": [], "emotion": emotion}


CALLS = [
    {
        "turns": [turn("agent", "您好"), turn("caller", "卡丢了", "anxious"), turn("caller", "谢谢", "neutral")],
        "call_intent": "card_loss_report",
        "emotion_end": "neutral",
        "should_escalate": False,
    },
    {
        "turns": [turn("caller", "诈我 刚转了三万", "anxious"), turn("caller", "诈我的又来电话 怎么办", "anxious")],
        "call_intent": "fraud_report",
        "emotion_end": "anxious",
        "should_escalate": True,
    },
]


def test_eval_intent(bankai: Run, write_lines: Write) -> None:
    done = bankai("eval", "intent", write_lines(*UTTERANCES))
    assert done.returncode == 0, done.stderr
    metrics = json.loads(done.stdout.splitlines()[-1])
    assert metrics.pop("p50_ms") > 0
    assert metrics.pop("p95_ms") > 0
    # Five utterances have intents; the answer to the fifth is chitchat. Of five emotions, "谢谢" is heard as satisfied.
    assert metrics == {
        "n": 6,
        "intent_top1": 0.8,
        "intent_micro_f1": pytest.approx(2 * 5 / (2 * 5 + 1 + 1), abs=1e-4),
        "intent_macro_f1": pytest.approx((1 + 1 + 1 + 2 / 3 + 1 + 0) / 6, abs=1e-4),
        "oos_auroc": 1.0,
        "oos_recall_at_5pct_fpr": 1.0,
        "ece": pytest.approx((0.1 + 0.05 + 0.1 + 0.1 + 0.6) / 5, abs=0.06),
        "emotion_acc": 0.8,
        "emotion_macro_f1": pytest.approx((1 + 2 / 3 + 1) / 3, abs=1e-4),
    }
    assert "intent_top1" in done.stdout.splitlines()[4]
    assert "judging utterances" in done.stderr


def test_what_the_data_do_not_define_is_null(bankai: Run, write_lines: Write) -> None:
    done = bankai("eval", "intent", write_lines({"text": "卡丢了", "intents": ["card_loss_report"], "emotion": None}))
    assert done.returncode == 0, done.stderr
    metrics = json.loads(done.stdout.splitlines()[-1])
    assert metrics["intent_top1"] == 1.0
    for name in ("oos_auroc", "oos_recall_at_5pct_fpr", "emotion_acc", "emotion_macro_f1"):
        assert metrics[name] is None


def test_eval_calls(bankai: Run, write_lines: Write) -> None:
    done = bankai("eval", "calls", write_lines(*CALLS))
    assert done.returncode == 0, done.stderr
    metrics = json.loads(done.stdout.splitlines()[-1])
    assert metrics.pop("p50_ms") > 0
    assert metrics.pop("p99_ms") > 0
    assert metrics == {
        "n": 2,
        "call_intent_acc": 1.0,
        "turn_emotion_macro_f1": 0.5,
        "escalation_precision": 1.0,
        "escalation_recall": 1.0,
    }


@pytest.mark.parametrize(
    ("evaluation", "rows", "message"),
    [
        ("intent", (UTTERANCES[0], {"text": "卡", "intents": ["wings"]}), "'intents' names 'wings'"),
        ("calls", (CALLS[0], {**CALLS[0], "call_intent": "wings"}), "'call_intent' names 'wings'"),
    ],
)
def test_a_bad_line_exits_2_with_file_and_line(
    bankai: Run, write_lines: Write, evaluation: str, rows: tuple[object, ...], message: str
) -> None:
    file = write_lines(*rows)
    done = bankai("eval", evaluation, file)
    assert done.returncode == 2
    assert done.stderr == f"bankai: {file}, line 2: {message}, which the model does not know\n"
    assert done.stdout == ""


def test_no_file_and_no_model_are_told(bankai: Run, write_lines: Write, tmp_path: Path) -> None:
    done = bankai("eval", "intent", tmp_path / "none.jsonl")
    assert (done.returncode, "cannot be read" in done.stderr) == (2, True)
    done = bankai("eval", "intent", write_lines(*UTTERANCES), BANKAI_INTENT_INFERENCE__MODELS_DIR=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith("bankai: ")
    assert "Traceback" not in done.stderr


def test_nobody_at_the_address_is_told(bankai: Run, write_lines: Write) -> None:
    done = bankai("eval", "calls", write_lines(*CALLS), "--address", "127.0.0.1:1")
    assert done.returncode == 1
    assert "nothing answers at 127.0.0.1:1" in done.stderr
    assert "Traceback" not in done.stderr
