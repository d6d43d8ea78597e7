"""Text in, analysis out: the intent models behind the inference protocol."""

import asyncio
from collections.abc import Mapping, Sequence

import numpy as np

from bankai.drift.reference import Value
from bankai.errors import FaultError
from bankai.inference.backend import InferenceBackend, InferenceResult, Tensors
from services.intent.analysis import Analysis, Emotion, IntentScore
from services.intent.context import Carry, Probabilities, carry_on, fuse
from services.intent.encoding import Ids, TextEncoder, ngrams
from services.intent.features import features
from services.intent.labels import CHITCHAT, OUT_OF_SCOPE, Labels
from services.intent.model_versions import ModelVersions
from services.intent.text import normalise
from services.intent.thresholds import CONTEXT_UTTERANCES

FULL_MODEL = "intent"
PARTIAL_MODEL = "intent_partial"

_ALONE = frozenset({CHITCHAT, OUT_OF_SCOPE})
"""Intents that hold only where they are the best."""


class UtteranceClassifier:
    """Says what utterances want and how their speakers feel.

    Args:
        backend: Runs the models.
        encoder: Turns text into the models' inputs.
        labels: What the models' outputs mean; the same for both models.
        versions: What belongs to the version of the model `intent` that answers.
    """

    def __init__(
        self, backend: InferenceBackend, encoder: TextEncoder, labels: Labels, versions: ModelVersions
    ) -> None:
        self._backend = backend
        self._encoder = encoder
        self._versions = versions
        self._intent_ids = labels.intent_ids
        self._index = {intent_id: index for index, intent_id in enumerate(self._intent_ids)}
        self._emotion_ids = labels.emotion_ids

    async def full(self, text: str, carry: Mapping[str, float], timeout: float) -> Analysis:  # noqa: ASYNC109  # sent along
        """Analyses a whole utterance.

        Args:
            text: What was said; not empty after normalisation.
            carry: What the caller spoke of before; empty for an utterance without context.
            timeout: Seconds until the answer is of no use any more.

        Raises:
            BankaiError: What the inference backend raises.
        """
        inputs = self._encoder.full(text)
        result = await self._infer(FULL_MODEL, inputs, timeout)
        analysis = self._read(text, result, FULL_MODEL, carry)
        drift = self._versions.of(result.version).drift
        if drift is not None:
            drift.observe(self._features(text, inputs["input_ids"], result, analysis))
        return analysis

    async def measure(self, text: str, timeout: float) -> dict[str, Value]:  # noqa: ASYNC109  # sent along
        """The features of an utterance by which drift is noticed; otherwise like `full`."""
        inputs = self._encoder.full(text)
        result = await self._infer(FULL_MODEL, inputs, timeout)
        return self._features(text, inputs["input_ids"], result, self._read(text, result, FULL_MODEL, {}))

    async def partial(self, text: str, timeout: float) -> Analysis:  # noqa: ASYNC109  # sent along
        """Analyses the beginning of an utterance with the small model; otherwise like `full`."""
        return self._read(text, await self._infer(PARTIAL_MODEL, ngrams(text), timeout), PARTIAL_MODEL, {})

    async def carry(self, context: Sequence[str], timeout: float) -> Carry:  # noqa: ASYNC109  # sent along
        """What earlier utterances leave for a later one to fall back on.

        Args:
            context: Earlier utterances, oldest first.
            timeout: Seconds for all of them.

        Raises:
            BankaiError: What the inference backend raises.
        """
        texts = [text for text in context if normalise(text)][-CONTEXT_UTTERANCES:]
        results = await asyncio.gather(*(self._infer(FULL_MODEL, self._encoder.full(text), timeout) for text in texts))
        carried: Carry = {}
        for text, result in zip(texts, results, strict=True):
            carried = carry_on(carried, self._read(text, result, FULL_MODEL, carried).intents)
        return carried

    async def _infer(self, model: str, inputs: Tensors, timeout: float) -> InferenceResult:  # noqa: ASYNC109  # sent along
        return await self._backend.infer(model, inputs, timeout=timeout)

    def _features(self, text: str, tokens: Ids, result: InferenceResult, analysis: Analysis) -> dict[str, Value]:
        own = result.outputs["intent_probs"][0]
        best = int(own.argmax())
        intent, emotion = self._intent_ids[best], analysis.emotion.emotion_id
        return features(text, tokens, confidence=float(own[best]), intent=intent, emotion=emotion)

    def _read(self, text: str, result: InferenceResult, model: str, carry: Mapping[str, float]) -> Analysis:
        own = _row(result, "intent_probs", len(self._intent_ids))
        fused = fuse(normalise(text), own, self._index, carry)
        # The small model has no threshold of its own: what it hears is replaced by what `intent` says.
        served = self._versions.of(result.version) if model == FULL_MODEL else self._versions.current
        intents = self._scores(fused, served.holds_at)
        best = self._index[intents[0].intent_id]
        emotions = _row(result, "emotion_probs", len(self._emotion_ids))
        likeliest = int(emotions.argmax())
        return Analysis(
            intents=intents,
            out_of_scope_probability=float(fused[-1]),
            emotion=Emotion(
                emotion_id=self._emotion_ids[likeliest],
                probability=float(emotions[likeliest]),
                intensity=float(_row(result, "intensity", 1)[0]),
                scores=dict(zip(self._emotion_ids, emotions.tolist(), strict=True)),
            ),
            model=model,
            version=result.version,
            carried=bool(own[best] < fused[best] / 2),
        )

    def _scores(self, probabilities: Probabilities, holds_at: float) -> tuple[IntentScore, ...]:
        """Every intent, best first, those that hold before all others: the best one, and what is sure beside it."""
        order = np.argsort(-probabilities, kind="stable")
        ids = [self._intent_ids[index] for index in order.tolist()]
        values = probabilities[order].tolist()
        sure = int((probabilities >= holds_at).sum())
        # Small talk beside a request is no wish, and nothing holds beside "nothing that a bank serves".
        holds = [True] + [ids[0] != OUT_OF_SCOPE and intent_id not in _ALONE for intent_id in ids[1:sure]]
        scores = [*map(IntentScore, ids, values, holds + [False] * (len(ids) - len(holds)))]
        if not all(holds):
            scores.sort(key=lambda score: not score.holds)
        return tuple(scores)


def _row(result: InferenceResult, output: str, length: int) -> Probabilities:
    """One row of an output as float64 within [0, 1]."""
    tensor = result.outputs.get(output)
    if tensor is None or tensor.shape != (1, length) or not np.isfinite(tensor).all():
        raise FaultError("INFERENCE_FAILED", "the model gave an answer that cannot be read")
    row: Probabilities = tensor[0].astype(np.float64).clip(0.0, 1.0)
    return row
