import json
from pathlib import Path
from typing import Any

import pytest

from bankai.errors import FaultError
from bankai.inference.label_file import read_labels
from services.intent.labels import Labels
from tests.services.intent.conftest import LABELS


def write(folder: Path, content: Any) -> Path:
    (folder / "labels.json").write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return folder


def test_labels_are_read_in_order(tmp_path: Path) -> None:
    labels = read_labels(write(tmp_path, {**LABELS, "pad_id": 1}), Labels)
    assert labels.intent_ids[0] == "card_loss_report"
    assert labels.intent_ids[-1] == "out_of_scope"
    assert labels.emotion_ids[0] == "neutral"
    assert labels.holds_at == 0.5


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"holds_at": 1.5}, "holds_at: Input should be less than 1"),
        ({"intents": LABELS["intents"][::-1]}, "the last of intents must be 'out_of_scope'"),
        ({"intents": [LABELS["intents"][0], *LABELS["intents"]]}, "intents has 'card_loss_report' more than once"),
        ({"emotions": [{"id": "neutral"}, {"id": "bored"}]}, "emotions has 'bored'"),
        ({"intents": "x"}, "intents: Input should be a valid"),
    ],
)
def test_wrong_labels_say_what_is_wrong(tmp_path: Path, change: dict[str, Any], problem: str) -> None:
    with pytest.raises(FaultError, match=r"labels\.json") as caught:
        read_labels(write(tmp_path, {**LABELS, **change}), Labels)
    assert caught.value.reason == "MODEL_LABELS_INVALID"
    assert problem in caught.value.message


@pytest.mark.parametrize("content", ["", "{", "[]"])
def test_a_file_that_is_no_json_object(tmp_path: Path, content: str) -> None:
    with pytest.raises(FaultError, match=r"labels\.json"):
        read_labels(write(tmp_path, content), Labels)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FaultError, match="No such file"):
        read_labels(tmp_path, Labels)


def test_outputs_must_fit(labels: Labels) -> None:
    good = {"intent_probs": (8,), "emotion_probs": (6,), "intensity": (1,)}
    labels.check_outputs("intent", good)
    with pytest.raises(FaultError, match=r"'intent_probs' of model 'intent' has shape \[7\], not \[8\]"):
        labels.check_outputs("intent", {**good, "intent_probs": (7,)})
    with pytest.raises(FaultError, match="no output 'intensity'"):
        labels.check_outputs("intent", {key: good[key] for key in good if key != "intensity"})
