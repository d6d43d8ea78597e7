"""The intent recipe on any set of texts with one label each: what `bankai eval text-intent` trains and judges.

The encoder and the n-grams are each tuned with softmax cross-entropy over the labels. Regularised dropout (R-Drop,
Liang et al., 2021, arXiv:2106.14448) makes two passes over the same row agree, which is worth most where rows are few.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import torch
from rich.console import Console
from rich.progress import track
from torch import Tensor
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence
from transformers import BertModel

from services.intent.encoding import PAD_NGRAM, TextEncoder
from training.batching import POOL_BATCHES, alike_in_length, encode
from training.network import FusedNetwork
from training.optimisation import Schedule, device, fit


@dataclass(frozen=True)
class Recipe:
    """How to fit.

    Attributes:
        epochs: Passes over the training rows.
        batch_rows: Rows of a batch.
        agreement: Weight of R-Drop's divergence between two passes over a row.
        agreement_rows: Training rows from which one pass is enough, and half the time is saved.
        smoothing: Share of the target spread over all labels.
        ngram_share: Weight of the n-grams' own loss.
        dropout: Everywhere in the encoder and on the pooled vector.
        frozen: Lowest layers of the encoder that stay as they are.
        schedule: Least number of steps, however few rows there are, and their sizes.
    """

    epochs: int = 6
    batch_rows: int = 32
    agreement: float = 1.0
    agreement_rows: int = 2000
    smoothing: float = 0.05
    ngram_share: float = 0.3
    dropout: float = 0.1
    frozen: int = 6
    schedule: Schedule = field(default_factory=lambda: Schedule(steps=500, encoder_rate=1e-4))


class TextIntentModel:
    """A fitted classifier.

    Args:
        network: With one head, "label".
        encoder: Turns text into its inputs.
        labels: Names of the labels in the head's order.
    """

    def __init__(self, network: FusedNetwork, encoder: TextEncoder, labels: Sequence[str]) -> None:
        self._network = network
        self._encoder = encoder
        self._labels = list(labels)

    def predict(self, texts: Sequence[str]) -> list[str]:
        """The likeliest label of each text."""
        return [self._labels[int(row.argmax())] for row in self.logits(texts)]

    def logits(self, texts: Sequence[str]) -> Tensor:
        """Logits [texts, labels]."""
        where = device()
        with torch.no_grad():
            parts = [
                self._network.fuse(self._network(*encode(self._encoder, texts[start : start + 64], where)))
                .float()
                .cpu()
                for start in range(0, len(texts), 64)
            ]
        return torch.cat(parts)


def train(
    texts: Sequence[str], labels: Sequence[str], encoder_dir: Path, recipe: Recipe | None = None, seed: int = 0
) -> TextIntentModel:
    """Fits the recipe to labelled texts, from the encoder in a folder written by `training.encoder`."""
    recipe = recipe or Recipe()
    torch.manual_seed(seed)
    names = sorted(set(labels))
    targets = torch.tensor([names.index(label) for label in labels])
    bert = BertModel.from_pretrained(
        encoder_dir,
        add_pooling_layer=False,
        hidden_dropout_prob=recipe.dropout,
        attention_probs_dropout_prob=recipe.dropout,
    )
    network = FusedNetwork(bert, {"label": len(names)}, recipe.dropout).to(device())
    network.freeze(recipe.frozen)
    encoder = TextEncoder(encoder_dir / "tokenizer.json")
    rows = _prepare(network, encoder, texts, recipe.frozen)
    steps = max(recipe.schedule.steps, recipe.epochs * len(texts) // recipe.batch_rows)

    def loss(batch: tuple[_Batch, Tensor]) -> Tensor:
        inputs, target = batch
        answers = network.upper(*inputs, recipe.frozen)
        value = _cross_entropy(answers.encoder, target, recipe)
        value = value + recipe.ngram_share * _cross_entropy(answers.ngram, target, recipe)
        if len(texts) < recipe.agreement_rows:
            again = network.upper(*inputs, recipe.frozen).encoder
            value = value + _cross_entropy(again, target, recipe)
            value = value + recipe.agreement * _divergence(answers.encoder, again)
        return value

    fit(network, _batches(rows, targets, recipe), loss, replace(recipe.schedule, steps=steps))
    return TextIntentModel(network, encoder, names)


class _Batch(NamedTuple):
    """Inputs of `FusedNetwork.upper`, or of one row of it without the row axis."""

    states: Tensor
    attention_mask: Tensor
    ngram_ids: Tensor


def _prepare(network: FusedNetwork, encoder: TextEncoder, texts: Sequence[str], frozen: int) -> list[_Batch]:
    """Every text as the frozen layers see it, computed once; on the CPU."""
    network.eval()
    rows = []
    with torch.no_grad():
        for start in track(range(0, len(texts), 64), "reading", console=Console(file=sys.stderr), transient=True):
            batch = encode(encoder, texts[start : start + 64], device())
            states = network.lower(batch.input_ids, batch.attention_mask, frozen).cpu()
            for row, mask, grams in zip(states, batch.attention_mask.cpu(), batch.ngram_ids.cpu(), strict=True):
                length = int(mask.sum())
                rows.append(_Batch(row[:length].clone(), mask[:length], grams[grams != PAD_NGRAM]))
    return rows


def _batches(rows: Sequence[_Batch], targets: Tensor, recipe: Recipe) -> Iterator[tuple[_Batch, Tensor]]:
    """Random batches of rows of about one length."""
    where = device()
    while True:
        for pool in torch.randperm(len(rows)).split(POOL_BATCHES * recipe.batch_rows):
            batches = alike_in_length(pool.tolist(), recipe.batch_rows, lambda row: len(rows[row].states))
            for chosen in [batches[int(i)] for i in torch.randperm(len(batches))]:
                columns = zip(*(rows[row] for row in chosen), strict=True)
                yield (
                    _Batch(*(pad_sequence(list(c), batch_first=True).to(where) for c in columns)),
                    targets[chosen].to(where),
                )


def _cross_entropy(logits: Tensor, target: Tensor, recipe: Recipe) -> Tensor:
    return functional.cross_entropy(logits.float(), target, label_smoothing=recipe.smoothing)


def _divergence(a: Tensor, b: Tensor) -> Tensor:
    """Symmetric Kullback-Leibler divergence of two passes, averaged over rows."""
    p, q = functional.log_softmax(a.float(), -1), functional.log_softmax(b.float(), -1)
    return 0.5 * ((p.exp() - q.exp()) * (p - q)).sum(-1).mean()
