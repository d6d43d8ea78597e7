"""Measures the features of the intent model's answers on a bank's utterances."""

from collections.abc import Sequence
from pathlib import Path

from bankai.cli.report import progress
from bankai.drift.reference import FILE, Value, measured
from bankai.errors import InvalidRequestError
from bankai.evaluation.inputs import read_jsonl, text_field
from bankai.inference import open_backend
from bankai.inference.repository import ModelRepository
from bankai.rollout.judging import beside
from bankai.settings import InferenceSettings, load
from services.intent.app import read_labels
from services.intent.classifier import FULL_MODEL, UtteranceClassifier
from services.intent.encoding import TextEncoder
from services.intent.model_versions import ModelVersions
from services.intent.settings import IntentSettings
from services.intent.text import normalise
from services.intent.validation import MAX_TEXT

_LEAST = 100
_TIMEOUT_S = 30.0


async def write_reference(files: Sequence[Path], version_dir: Path | None) -> tuple[Path, int]:
    """Writes reference.json for a version of the model.

    Args:
        files: The utterances.
        version_dir: Folder of the version; None for the one in service.

    Returns:
        The file, and how many utterances it tells of.

    Raises:
        BankaiError: A file is wrong, there are too few utterances, or the model does not answer.
    """
    texts = [
        text for file in files for text in read_jsonl(file, lambda row: text_field(row, "text", max_chars=MAX_TEXT))
    ]
    texts = [text for text in texts if normalise(text)]
    if len(texts) < _LEAST:
        raise InvalidRequestError("BAD_INPUT", f"a reference needs at least {_LEAST} utterances, not {len(texts)}")
    repository = ModelRepository(load(IntentSettings).inference.models_dir)
    folder = version_dir or repository.version_dir(FULL_MODEL)
    with beside(repository, FULL_MODEL, folder) as models_dir:
        rows = await _answers(models_dir, texts)
    file = folder / FILE
    new = folder / f".{FILE}"
    new.write_text(measured(rows).model_dump_json(exclude_defaults=True, indent=1) + "\n", encoding="utf-8")
    new.replace(file)
    return file, len(rows)


async def _answers(models_dir: Path, texts: Sequence[str]) -> list[dict[str, Value]]:
    repository = ModelRepository(models_dir)
    folder = repository.version_dir(FULL_MODEL)
    backend = open_backend(InferenceSettings(models_dir=models_dir))
    classifier = UtteranceClassifier(
        backend, TextEncoder(folder / "tokenizer.json"), read_labels(repository), ModelVersions(folder)
    )
    try:
        return [await classifier.measure(text, _TIMEOUT_S) for text in progress(texts, "measuring utterances")]
    finally:
        await backend.close()
