"""Makes the role model's scores probabilities: `python -m training.doc_extract.calibrate`.

Reads development data as `bankai eval documents` and `bankai eval sentences` do, but documents of plain text alone, and
writes into the model's labels.json how likely a value is right at each score, field by field. Never give it data that
the model is to be judged on.
"""

import argparse
import asyncio
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from bankai.inference import open_backend
from bankai.inference.label_file import FILE
from bankai.inference.repository import ModelRepository
from bankai.settings import InferenceSettings
from services.doc_extract.evaluation.gold import GoldValue, read_documents, read_sentences
from services.doc_extract.evaluation.matching import match
from services.doc_extract.intake.limits import IntakeLimits
from services.doc_extract.reading.plain import read_plain
from services.doc_extract.schema import credit
from services.doc_extract.understanding.labels import Calibration, logit
from services.doc_extract.understanding.roles import MODEL
from services.doc_extract.understanding.understander import Understander
from training.paths import MODELS_DIR

Scored = tuple[str, float, bool]
"""A value's field, its score, and whether it is right."""

_TIMEOUT_S = 60.0
_STRENGTH = 8.0
"""Values that a field must have for its own curve to weigh as much as that of all fields."""


def fit(scored: Sequence[Scored], prior: Calibration | None = None) -> Calibration:
    """A logistic curve through scores (Platt, 1999), drawn towards a prior one."""
    logits = np.array([logit(score) for _, score, _ in scored])
    right = np.array([truth for _, _, truth in scored], float)
    centre = np.array([math.log(prior.scale), prior.shift] if prior else [0.0, 0.0])
    strength = _STRENGTH / 2 if prior else 0.01

    def cost(curve: NDArray[np.float64]) -> float:
        margin = math.exp(curve[0]) * logits + curve[1]
        fit_cost = np.logaddexp(0, -margin) * right + np.logaddexp(0, margin) * (1 - right)
        return float(fit_cost.sum() + strength * ((curve - centre) ** 2).sum())

    found = minimize(cost, centre, method="Nelder-Mead").x
    return Calibration(scale=round(math.exp(found[0]), 4), shift=round(float(found[1]), 4))


def curves(scored: Sequence[Scored], fields: Iterable[str]) -> Mapping[str, Calibration]:
    """A curve for each field: its own where it has enough values, near that of all fields where it has few."""
    common = fit(scored)
    return {field: fit([each for each in scored if each[0] == field], common) for field in fields}


async def scores(models_dir: Path, items: Sequence[tuple[bytes, Sequence[GoldValue]]]) -> list[Scored]:
    """What the model says of documents whose values are known, before any calibration."""
    backend = open_backend(InferenceSettings(models_dir=models_dir))
    try:
        understander = Understander(backend, ModelRepository(models_dir))
        scored: list[Scored] = []
        for data, gold in items:
            found = await understander.understand(read_plain(data, IntakeLimits()), credit(), _TIMEOUT_S)
            matched = match(gold, found.values)
            scored += [(value.field, value.confidence, True) for _, value in matched.pairs]
            scored += [(value.field, value.confidence, False) for value in matched.wrong]
        return scored
    finally:
        await backend.close()


def _items(documents: Path | None, sentences: Path | None) -> list[tuple[bytes, Sequence[GoldValue]]]:
    items: list[tuple[bytes, Sequence[GoldValue]]] = []
    if documents:
        items += [(file.read_bytes(), gold.fields) for file, gold in read_documents(documents).items()]
    if sentences:
        items += [(gold.text.encode(), gold.fields) for gold in read_sentences(sentences)]
    return items


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=Path, help="folder of training.doc_extract.templates")
    parser.add_argument("--sentences", type=Path, help="file of training.doc_extract.court_sentences")
    parser.add_argument("--models", type=Path, default=MODELS_DIR, help="model repository (default: %(default)s)")
    options = parser.parse_args()
    items = _items(options.documents, options.sentences)
    if not items:
        raise SystemExit("give --documents, --sentences or both")
    file = ModelRepository(options.models).version_dir(MODEL) / FILE
    labels = json.loads(file.read_text(encoding="utf-8"))
    _write(file, labels | {"calibration": {}})
    scored = asyncio.run(scores(options.models, items))
    found = curves(scored, labels["fields"])
    _write(file, labels | {"calibration": {field: curve.model_dump() for field, curve in found.items()}})
    right = sum(truth for _, _, truth in scored)
    print(f"{file}: calibrated on {len(scored)} values, {right} of them right")


def _write(file: Path, labels: Mapping[str, object]) -> None:
    file.write_text(json.dumps(labels, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
