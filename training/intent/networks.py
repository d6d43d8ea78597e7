"""Building the intent network, and reading and judging fitted ones."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from services.intent.encoding import TextEncoder
from training.batching import encode
from training.encoder.folder import e5
from training.intent import objective
from training.intent.examples import Example
from training.network import FusedNetwork
from training.optimisation import device, half_precision

NGRAM_WEIGHT = 2.0
"""Say of the n-grams beside the encoder; chosen on the validation batch."""


def build(encoder_dir: Path, layers: int | None = None) -> FusedNetwork:
    """The network with untrained heads.

    Args:
        encoder_dir: Folder of `training.encoder.extract`.
        layers: Layers of its encoder to keep, spread evenly and the last one among them; None keeps all.
    """
    encoder = e5(encoder_dir).bert()
    depth = encoder.config.num_hidden_layers
    if layers is not None:
        kept = [depth * (place + 1) // layers - 1 for place in range(layers)]
        encoder.encoder.layer = torch.nn.ModuleList(encoder.encoder.layer[at] for at in kept)
        encoder.config.num_hidden_layers = layers
    return FusedNetwork(encoder, objective.HEADS, ngram_weight=NGRAM_WEIGHT)


def load(encoder_dir: Path, weights: Path) -> FusedNetwork:
    """A fitted network, as deep as its weights are."""
    state: Mapping[str, Tensor] = torch.load(weights, weights_only=True)
    layers = {int(name.split(".")[3]) for name in state if name.startswith("encoder.encoder.layer.")}
    network = build(encoder_dir, len(layers))
    network.load_state_dict(state)
    return network.eval()


def main_intent_accuracy(network: FusedNetwork, text: TextEncoder, rows: Sequence[Example]) -> dict[str, float]:
    """Share of the rows whose best intent holds: of the encoder alone, of the n-grams alone, and of both."""
    network.eval()
    hits = dict.fromkeys(("encoder", "ngrams", "fused"), 0)
    for start in range(0, len(rows), 64):
        part = rows[start : start + 64]
        where = device()
        truth = objective.targets(part, where).labels
        with torch.no_grad(), half_precision(where):
            answers = network(*encode(text, [row.text for row in part], where))
        each = {"encoder": answers.encoder, "ngrams": answers.ngram, "fused": network.fuse(answers)}
        for name, logits in each.items():
            best = logits[:, : truth.shape[1]].argmax(-1, keepdim=True)
            hits[name] += int(truth.gather(1, best).sum())
    return {name: count / len(rows) for name, count in hits.items()}
