"""The shipped models say the same on both backends. One at a time: docs/adr/0004 says what batch mates change."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bankai.inference import open_backend
from bankai.inference.backend import InferenceResult, Tensors
from bankai.inference.repository import ModelRepository
from bankai.inference.triton_server import TritonInstallation, TritonServer
from bankai.settings import InferenceSettings
from services.intent.classifier import FULL_MODEL, PARTIAL_MODEL
from services.intent.encoding import TextEncoder, ngrams

pytestmark = pytest.mark.slow

MODELS = InferenceSettings().models_dir
CORPUS = Path(__file__).parents[3] / "training" / "intent" / "corpus" / "utterances" / "val_a.jsonl"
TOLERANCE = 0.001


@pytest.fixture(scope="module")
def triton() -> Iterator[TritonServer]:
    if not TritonInstallation().complete:
        pytest.skip("there is no Triton server: run `make triton`")
    with TritonServer(MODELS, models=[FULL_MODEL, PARTIAL_MODEL]) as server:
        yield server


@pytest.fixture(scope="module")
def questions() -> list[tuple[str, Tensors]]:
    """What callers say, as inputs of each model."""
    encoder = TextEncoder(ModelRepository(MODELS).version_dir(FULL_MODEL) / "tokenizer.json")
    texts = [json.loads(line)["text"] for line in CORPUS.read_text(encoding="utf-8").splitlines()[:60]]
    return [
        *((FULL_MODEL, encoder.full(text)) for text in texts),
        *((PARTIAL_MODEL, ngrams(text)) for text in texts),
    ]


async def answers(settings: InferenceSettings, questions: list[tuple[str, Tensors]]) -> list[InferenceResult]:
    backend = open_backend(settings)
    try:
        return [await backend.infer(model, inputs, timeout=60) for model, inputs in questions]
    finally:
        await backend.close()


async def test_both_backends_agree(triton: TritonServer, questions: list[tuple[str, Tensors]]) -> None:
    embedded = await answers(InferenceSettings(), questions)
    far = await answers(InferenceSettings(backend="triton", triton_url=triton.grpc_url), questions)
    for one, other in zip(embedded, far, strict=True):
        assert one.version == other.version
        assert one.outputs.keys() == other.outputs.keys()
        for name, tensor in one.outputs.items():
            np.testing.assert_allclose(tensor, other.outputs[name], rtol=0, atol=TOLERANCE)
