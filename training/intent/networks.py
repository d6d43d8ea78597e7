"""Building the intent network, and reading and judging fitted ones."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from training.encoder.folder import e5
from training.intent import objective
from training.intent.examples import Example
from training.network import FusedNetwork
from training.optimisation import device, half_precision
from training.reader import Reader

NGRAM_WEIGHT = 2.0
"""Say of the n-grams beside the encoder; chosen on the first validation batch."""


def build(encoder_dir: Path) -> FusedNetwork:
    """The network with untrained heads on the encoder in a folder of `training.encoder.extract`."""
    return FusedNetwork(e5(encoder_dir).bert(), objective.HEADS, ngram_weight=NGRAM_WEIGHT)


def keep_layers(network: FusedNetwork, layers: int) -> None:
    """Keeps so many layers of the network's encoder, spread evenly and the last one among them."""
    encoder = network.encoder
    depth = encoder.config.num_hidden_layers
    kept = [depth * (place + 1) // layers - 1 for place in range(layers)]
    encoder.encoder.layer = torch.nn.ModuleList(encoder.encoder.layer[at] for at in kept)
    encoder.config.num_hidden_layers = layers


def load(encoder_dir: Path, weights: Path) -> FusedNetwork:
    """A fitted network, as deep as its weights are."""
    state: Mapping[str, Tensor] = torch.load(weights, weights_only=True)
    layers = {int(name.split(".")[3]) for name in state if name.startswith("encoder.encoder.layer.")}
    network = build(encoder_dir)
    keep_layers(network, len(layers))
    network.load_state_dict(state)
    return network.eval()


def main_intent_accuracy(reader: Reader, rows: Sequence[Example]) -> dict[str, float]:
    """Share of the rows whose best intent holds: of the encoder alone, of the n-grams alone, and of both."""
    reader.network.eval()
    where = device()
    hits = dict.fromkeys(("encoder", "ngrams", "fused"), 0)
    for start in range(0, len(rows), 64):
        part = rows[start : start + 64]
        truth = objective.targets(part, where).labels
        with torch.no_grad(), half_precision(where):
            answers = reader.answers([row.text for row in part])
        each = {"encoder": answers.encoder, "ngrams": answers.ngram, "fused": reader.network.fuse(answers)}
        for name, logits in each.items():
            best = logits[:, : truth.shape[1]].argmax(-1, keepdim=True)
            hits[name] += int(truth.gather(1, best).sum())
    return {name: count / len(rows) for name, count in hits.items()}
