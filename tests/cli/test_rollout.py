"""`bankai models promote`, `status` and `rollback`, and `bankai drift reference`, on toy models."""

import json
import re
import shutil
from pathlib import Path

import pytest

from bankai.drift.reference import FILE, read_reference
from bankai.rollout import history
from services.intent.features import FEATURES
from tests.cli.conftest import Run, Write
from tests.cli.toy import WORDS, write_models

pytestmark = pytest.mark.slow

GATE = """
service: intent
evaluations:
  - command: intent
    metrics:
      intent_top1: {margin: 0.05}
      emotion_acc: {margin: 0.05}
"""
LINES = [
    {"text": "我的卡丢了", "intents": ["card_loss_report"], "emotion": "anxious"},
    {"text": "谢谢", "intents": ["chitchat"], "emotion": "satisfied"},
    {"text": "诈我", "intents": ["fraud_report"], "emotion": "anxious"},
    {"text": "贼偷我", "intents": ["fraud_report"], "emotion": "anxious"},
]


@pytest.fixture
def repository(toy_models: Path, tmp_path: Path) -> Path:
    copied = tmp_path / "models"
    shutil.copytree(toy_models, copied)
    (copied / "intent" / "gate.yaml").write_text(GATE)
    return copied


@pytest.fixture
def better(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """It knows a word more."""
    monkeypatch.setitem(WORDS, "贼", WORDS["诈"])
    return write_models(tmp_path / "better") / "intent" / "1"


@pytest.fixture
def worse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """It does not know a word any more."""
    monkeypatch.delitem(WORDS, "丢")
    return write_models(tmp_path / "worse") / "intent" / "1"


def test_there_and_back(bankai: Run, write_lines: Write, repository: Path, better: Path) -> None:
    gold = write_lines(*LINES)
    served = ("--models-dir", repository)
    done = bankai("models", "promote", "intent", better, "--data", gold, "--by", "Ada", *served)
    assert done.returncode == 0, done.stderr
    assert re.search(r"intent_top1 +│ +0\.7500 +│ +1\.0000 +│ passes", done.stdout)
    assert done.stdout.splitlines()[-1] == "intent: version 1 -> 2"
    record = history.read(repository / "intent")[-1]
    assert (record.by, record.evaluations[0].candidate["intent_top1"]) == ("Ada", 1.0)

    # A service that starts now, and an evaluation, read the new version.
    variables = {"BANKAI_INTENT_INFERENCE__MODELS_DIR": str(repository)}
    judged = bankai("eval", "intent", gold, **variables)
    assert json.loads(judged.stdout.splitlines()[-1])["intent_top1"] == 1.0

    done = bankai("models", "status", "intent", *served)
    assert done.returncode == 0, done.stderr
    assert re.search(
        r"intent +│ 2 +│ yes +│ \w{12} │ as recorded +│ .* │ Ada +│ intent gold\.jsonl: intent_top1", done.stdout
    )
    assert re.search(r"intent +│ 1 +│ +│ \w{12} │ unrecorded", done.stdout)

    done = bankai("models", "rollback", "intent", *served)
    assert (done.returncode, done.stdout) == (0, "intent: version 2 -> 1\n"), done.stderr
    judged = bankai("eval", "intent", gold, **variables)
    assert json.loads(judged.stdout.splitlines()[-1])["intent_top1"] == 0.75


def test_a_worse_candidate_does_not_pass(bankai: Run, write_lines: Write, repository: Path, worse: Path) -> None:
    done = bankai("models", "promote", "intent", worse, "--data", write_lines(*LINES), "--models-dir", repository)
    assert done.returncode == 1
    assert "worse by 0.2500; at most 0.05 is allowed" in done.stdout
    assert "does not pass; version 1 stays in service" in done.stderr
    assert not (repository / "intent" / "2").exists()


def test_wrong_data_exits_2(bankai: Run, write_lines: Write, repository: Path, better: Path) -> None:
    gold = write_lines({"text": "卡丢了", "intents": ["no_such_intent"]})
    done = bankai("models", "promote", "intent", better, "--data", gold, "--models-dir", repository)
    assert done.returncode == 2
    assert "no_such_intent" in done.stderr
    assert not (repository / "intent" / "2").exists()


def test_a_reference_for_a_candidate(bankai: Run, write_lines: Write, repository: Path, better: Path) -> None:
    lines = write_lines(*({"text": f"我的卡丢了{number}"} for number in range(120)))
    done = bankai("drift", "reference", lines, "--version", better)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("120 utterances\n")
    reference = read_reference(better, FEATURES)
    assert reference is not None
    assert reference.features["intent"].classes == ("card_loss_report",)
    assert "卡" not in (better / FILE).read_text(encoding="utf-8")
    done = bankai("drift", "reference", write_lines({"text": "卡"}), "--version", better)
    assert done.returncode == 2
    assert "at least 100" in done.stderr
