"""What the service does when another version of the model answers."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import structlog
from prometheus_client import REGISTRY

from bankai.drift.reference import FILE, measured
from bankai.drift.watch import LEAST
from bankai.errors import FaultError
from bankai.inference.backend import InferenceResult, Tensors
from services.intent.classifier import FULL_MODEL, UtteranceClassifier
from services.intent.encoding import TextEncoder
from services.intent.labels import Labels
from services.intent.model_versions import ModelVersions
from tests.services.intent.conftest import LABELS, write_model
from tests.services.intent.fakes import KeywordBackend

ROWS: list[dict[str, Any]] = [
    {
        "length": 2 + number % 10,
        "language": "chinese",
        "unknown": 1.0,
        "confidence": 0.9,
        "intent": "balance_inquiry",
        "emotion": "neutral",
    }
    for number in range(100)
]


class VersionedBackend(KeywordBackend):
    version = "1"

    async def infer(self, model: str, inputs: Tensors, *, timeout: float) -> InferenceResult:  # noqa: ASYNC109  # as the protocol has it
        result = await super().infer(model, inputs, timeout=timeout)
        return InferenceResult(result.outputs, self.version if model == FULL_MODEL else "1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The model's folder with version 1, and version 2 whose threshold is higher than any answer's probability."""
    write_model(tmp_path, "intent")
    folder = tmp_path / "intent"
    shutil.copytree(folder / "1", folder / "2")
    (folder / "2" / "labels.json").write_text(json.dumps({**LABELS, "holds_at": 0.95}))
    (folder / "1" / FILE).write_text(measured(ROWS).model_dump_json())
    return folder


def _classifier(folder: Path, backend: VersionedBackend) -> UtteranceClassifier:
    labels = Labels.model_validate(LABELS)
    return UtteranceClassifier(
        backend, TextEncoder(folder / "1" / "tokenizer.json"), labels, ModelVersions(folder / "1")
    )


def _gauge(feature: str) -> float | None:
    return REGISTRY.get_sample_value("bankai_drift_psi", {"model": "intent", "feature": feature})


async def test_the_threshold_is_the_answering_versions(folder: Path) -> None:
    backend = VersionedBackend()
    classifier = _classifier(folder, backend)
    for version, held in (("1", 2), ("2", 1), ("1", 2)):
        backend.version = version
        analysis = await classifier.full("查余额 转人工", {}, 5)
        assert (analysis.version, len(analysis.held)) == (version, held)


async def test_drift_is_told_of_the_answering_version(folder: Path) -> None:
    backend = VersionedBackend()
    classifier = _classifier(folder, backend)
    for _ in range(LEAST):
        await classifier.full("查余额", {}, 5)
    intent, language = _gauge("intent"), _gauge("language")
    assert intent is not None
    assert intent < 0.1
    assert language is not None
    assert language < 0.1
    for _ in range(LEAST):
        await classifier.full("i lost my card", {}, 5)
    assert (_gauge("intent") or 0) > 0.2
    assert (_gauge("language") or 0) > 0.2
    # Version 2 has no reference: what is told must not be the old one's.
    backend.version = "2"
    await classifier.full("查余额", {}, 5)
    assert _gauge("intent") is None


async def test_partial_utterances_do_not_count(folder: Path) -> None:
    classifier = _classifier(folder, VersionedBackend())
    await classifier.partial("查余", 5)
    await classifier.carry(["查余额"], 5)
    assert REGISTRY.get_sample_value("bankai_drift_window", {"model": "intent"}) == 0


@pytest.mark.parametrize("version", ["2", "3"])
async def test_wrong_files_of_a_later_version_cost_no_answer(folder: Path, version: str) -> None:
    (folder / "2" / "labels.json").write_text("{}")
    backend = VersionedBackend()
    classifier = _classifier(folder, backend)
    backend.version = version
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            assert len((await classifier.full("查余额 转人工", {}, 5)).held) == 2
    assert [entry["reason"] for entry in logs] == ["MODEL_LABELS_INVALID"]


def test_wrong_files_stop_the_start(folder: Path) -> None:
    (folder / "1" / FILE).write_text("{}")
    with pytest.raises(FaultError) as caught:
        ModelVersions(folder / "1")
    assert caught.value.reason == "MODEL_REFERENCE_INVALID"
