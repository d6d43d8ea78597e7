"""What the intent model is asked to get right: several intents at once, out of scope, emotion and its strength."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from training.intent.examples import BUSINESS_ONLY, Example
from training.intent.taxonomy import taxonomy

HEADS = {
    "intents": len(taxonomy().intent_ids) - 1,
    "out_of_scope": 1,
    "emotions": len(taxonomy().emotion_ids),
    "intensity": 1,
}
"""Number of logits by question. `intents` leaves out out_of_scope, which has a head of its own."""

EMOTION_WEIGHT = {"cped": 0.25, "goemotions": 0.25}
"""Trust in the emotion labels of other kinds of talk; ours count 1."""


@dataclass(frozen=True)
class Targets:
    """Targets of a batch; NaN, or -1 for classes, where nothing is known.

    Attributes:
        labels: [rows, 49] 1 where an intent holds, out_of_scope last.
        emotion: [rows] class.
        emotion_weight: [rows] trust in the emotion.
        intensity: [rows] in [0, 1].
    """

    labels: Tensor
    emotion: Tensor
    emotion_weight: Tensor
    intensity: Tensor


def targets(examples: Sequence[Example], where: torch.device) -> Targets:
    """The targets of a batch."""
    intents, emotions = taxonomy().intent_ids, taxonomy().emotion_ids
    labels = torch.full((len(examples), len(intents)), torch.nan)
    for row, example in enumerate(examples):
        if example.intents is not None:
            labels[row] = torch.tensor([float(intent in example.intents) for intent in intents])
        elif example.no_business:
            labels[row] = torch.tensor([torch.nan if intent in BUSINESS_ONLY else 0.0 for intent in intents])
    return Targets(
        labels.to(where),
        torch.tensor([emotions.index(e.emotion) if e.emotion else -1 for e in examples], device=where),
        torch.tensor([EMOTION_WEIGHT.get(e.source, 1.0) for e in examples], device=where),
        torch.tensor([torch.nan if e.intensity is None else e.intensity for e in examples], device=where),
    )


def loss(answers: Mapping[str, Tensor], target: Targets) -> Tensor:
    """One scalar for all questions: each is averaged over the rows where its answer is known.

    Intents are asked twice: every one by itself (binary cross-entropy, for several at once and for calibration) and
    against each other (softmax cross-entropy with the mass shared by those that hold, for the main one).
    """
    logits = torch.cat([answers["intents"], answers["out_of_scope"]], dim=-1).float()
    known = ~target.labels.isnan()
    truth = target.labels.nan_to_num()
    separate = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    value = (separate * known).sum() / known.any(-1).sum().clamp(min=1)

    complete = known.all(-1)
    if complete.any():
        shared = truth[complete] / truth[complete].sum(-1, keepdim=True)
        value = value + functional.cross_entropy(logits[complete], shared, label_smoothing=0.02)

    felt = target.emotion >= 0
    if felt.any():
        each = functional.cross_entropy(
            answers["emotions"][felt].float(), target.emotion[felt], reduction="none", label_smoothing=0.05
        )
        value = value + (each * target.emotion_weight[felt]).sum() / target.emotion_weight[felt].sum()

    measured = ~target.intensity.isnan()
    if measured.any():
        strength = torch.sigmoid(answers["intensity"][measured].float().squeeze(-1))
        value = value + 2.0 * functional.mse_loss(strength, target.intensity[measured])
    return value
