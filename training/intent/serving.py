"""The network as it is served: probabilities out, calibration inside."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.network import FusedNetwork, NgramScorer

SMALLEST = 1e-6
"""Distance that shares keep from 0 and 1, so that their log odds stay finite."""


@dataclass(frozen=True)
class Scaling:
    """Logistic scaling (Platt, 1999) of what speaks for a label: its own logit, and its lead over all other labels.

    The lead is the log odds of the label in a softmax over all of them. A caller wants something, so a weak logit
    without rivals is better evidence than it looks.

    Attributes:
        own: Weight of the label's own logit.
        lead: Weight of its lead.
        shift: Added to both.
    """

    own: float = 1.0
    lead: float = 0.0
    shift: float = 0.0


@dataclass(frozen=True)
class Calibration:
    """Turns logits into probabilities that can be believed.

    Attributes:
        intents: Scaling of every intent.
        scope: Scaling of out of scope.
        sharpness: Inverse temperature of the softmax that the lead is taken from.
        emotions: Inverse temperature of the emotions (Guo et al., 2017, arXiv:1706.04599).
    """

    intents: Scaling = Scaling()
    scope: Scaling = Scaling()
    sharpness: float = 1.0
    emotions: float = 1.0


class Probabilities(nn.Module):
    """Logits of all heads to the served outputs.

    Args:
        heads: Number of logits by question, in order.
        calibration: Of this model.
    """

    def __init__(self, heads: dict[str, int], calibration: Calibration) -> None:
        super().__init__()
        self._sizes = list(heads.values())
        self._calibration = calibration

    def forward(self, logits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """intent_probs [rows, 49] with out_of_scope last, emotion_probs [rows, 6] and intensity [rows, 1]."""
        calibration = self._calibration
        intents, scope, emotions, intensity = logits.split(self._sizes, dim=-1)
        labels = torch.cat([intents, scope], dim=-1)
        share = torch.softmax(labels * calibration.sharpness, dim=-1).clamp(SMALLEST, 1 - SMALLEST)
        lead = torch.log(share) - torch.log1p(-share)
        return (
            torch.sigmoid(
                torch.cat(
                    [
                        _scaled(intents, lead[:, :-1], calibration.intents),
                        _scaled(scope, lead[:, -1:], calibration.scope),
                    ],
                    dim=-1,
                )
            ),
            torch.softmax(emotions * calibration.emotions, dim=-1),
            torch.sigmoid(intensity),
        )


def _scaled(logits: Tensor, lead: Tensor, scaling: Scaling) -> Tensor:
    return logits * scaling.own + lead * scaling.lead + scaling.shift


class ServedFull(nn.Module):
    """The model `intent`: encoder and n-grams."""

    def __init__(self, network: FusedNetwork, calibration: Calibration) -> None:
        super().__init__()
        self.network = network
        self.probabilities = Probabilities(network.heads, calibration)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, ngram_ids: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """See `Probabilities`."""
        outputs: tuple[Tensor, Tensor, Tensor] = self.probabilities(
            self.network.fuse(self.network(input_ids, attention_mask, ngram_ids))
        )
        return outputs


class ServedPartial(nn.Module):
    """The model `intent_partial`: the n-grams alone."""

    def __init__(self, scorer: NgramScorer, heads: dict[str, int], calibration: Calibration) -> None:
        super().__init__()
        self.scorer = scorer
        self.probabilities = Probabilities(heads, calibration)

    def forward(self, ngram_ids: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """See `Probabilities`."""
        outputs: tuple[Tensor, Tensor, Tensor] = self.probabilities(self.scorer(ngram_ids))
        return outputs
