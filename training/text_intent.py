"""The intent recipe on any set of texts with one label each: what `bankai eval text-intent` trains and judges.

Each encoder that can read the texts votes. Its head is fitted first; then encoder and n-grams are each tuned with
softmax cross-entropy over the labels. The labels' names are training texts, too. Regularised dropout (R-Drop, Liang et
al., 2021, arXiv:2106.14448) makes two passes over the same row agree, which is worth most where rows are few.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import torch
from rich.console import Console
from rich.progress import track
from torch import Tensor
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from services.intent.encoding import PAD_NGRAM, TextEncoder
from training.batching import POOL_BATCHES, alike_in_length, encode
from training.encoder.folder import EncoderFolder
from training.network import FusedNetwork
from training.optimisation import Schedule, device, fit, half_precision
from training.probe import probe


@dataclass(frozen=True)
class Recipe:
    """How to fit.

    Attributes:
        epochs: Passes over the training rows.
        batch_rows: Rows of a batch.
        agreement: Weight of R-Drop's divergence between two passes over a row.
        agreement_rows: Training rows from which one pass is enough, and half the time is saved.
        smoothing: Share of the target spread over all labels.
        dropout: Everywhere in the encoder and on the pooled vector.
        frozen: Share of an encoder's layers, the lowest ones, that stay as they are.
        schedule: Least number of steps, however few rows there are, and their sizes.
    """

    epochs: int = 4
    batch_rows: int = 32
    agreement: float = 1.0
    agreement_rows: int = 2000
    smoothing: float = 0.05
    dropout: float = 0.1
    frozen: float = 0.5
    schedule: Schedule = field(default_factory=lambda: Schedule(steps=250, encoder_rate=1.5e-4))


class Reader(NamedTuple):
    """A network with one head, "label", and what turns text into its inputs."""

    network: FusedNetwork
    text: TextEncoder


class TextIntentModel:
    """A fitted classifier.

    Args:
        readers: What it is made of; each has the same say.
        labels: Names of the labels in the heads' order.
    """

    def __init__(self, readers: Sequence[Reader], labels: Sequence[str]) -> None:
        self._readers = list(readers)
        self._labels = list(labels)

    def predict(self, texts: Sequence[str]) -> list[str]:
        """The likeliest label of each text."""
        return [self._labels[int(row.argmax())] for row in self.logits(texts)]

    def logits(self, texts: Sequence[str]) -> Tensor:
        """Logits [texts, labels]."""
        where = device()
        found = torch.zeros(len(texts), len(self._labels))
        with torch.no_grad(), half_precision(where):
            for rows in alike_in_length(range(len(texts)), 64, lambda row: len(texts[row])):
                for network, text in self._readers:
                    answers = network.fuse(network(*encode(text, [texts[row] for row in rows], where)))
                    found[rows] += answers.float().log_softmax(-1).cpu()
        return found


def train(
    texts: Sequence[str],
    labels: Sequence[str],
    encoders: Sequence[EncoderFolder],
    recipe: Recipe | None = None,
    seed: int = 0,
) -> TextIntentModel:
    """Fits the recipe to labelled texts, from each of the encoders."""
    recipe = recipe or Recipe()
    names = sorted(set(labels))
    rows = [*zip(texts, labels, strict=True), *((_words(name), name) for name in names)]
    targets = torch.tensor([names.index(label) for _, label in rows])
    readers = []
    for folder in encoders:
        torch.manual_seed(seed)
        network = FusedNetwork(folder.bert(recipe.dropout), {"label": len(names)}, recipe.dropout).to(device())
        readers.append(Reader(network, folder.text()))
        _fit(readers[-1], [text for text, _ in rows], targets, recipe)
    return TextIntentModel(readers, names)


def _words(label: str) -> str:
    """A label's name as a text: it often says what the label means."""
    return " ".join(re.findall(r"[^\W_]+", label)) or label


def _fit(reader: Reader, texts: Sequence[str], targets: Tensor, recipe: Recipe) -> None:
    network = reader.network
    frozen = round(recipe.frozen * len(network.encoder.encoder.layer))
    rows = _prepare(reader, texts, frozen)
    _probe(network, rows, targets, frozen)
    steps = max(recipe.schedule.steps, recipe.epochs * len(texts) // recipe.batch_rows)
    schedule = replace(recipe.schedule, steps=steps)

    def ngram_loss(batch: tuple[_Batch, Tensor]) -> Tensor:
        return _cross_entropy(network.ngrams(batch[0].ngram_ids), batch[1], recipe)

    def encoder_loss(batch: tuple[_Batch, Tensor]) -> Tensor:
        inputs, target = batch
        first = network.ask(network.upper(inputs.states, inputs.attention_mask, frozen))
        value = _cross_entropy(first, target, recipe)
        if len(texts) < recipe.agreement_rows:
            second = network.ask(network.upper(inputs.states, inputs.attention_mask, frozen))
            value = value + _cross_entropy(second, target, recipe) + recipe.agreement * _divergence(first, second)
        return value

    network.tune_ngrams()
    fit(network, _batches(rows, targets, recipe), ngram_loss, schedule)
    network.tune_encoder(frozen)
    fit(network, _batches(rows, targets, recipe), encoder_loss, schedule)


class _Batch(NamedTuple):
    """What `FusedNetwork.upper` and its n-grams read, or one row of it without the row axis."""

    states: Tensor
    attention_mask: Tensor
    ngram_ids: Tensor


def _prepare(reader: Reader, texts: Sequence[str], frozen: int) -> list[_Batch]:
    """Every text as the frozen layers see it, computed once; on the CPU."""
    reader.network.eval()
    rows: dict[int, _Batch] = {}
    parts = alike_in_length(range(len(texts)), 64, lambda row: len(texts[row]))
    where = device()
    with torch.no_grad(), half_precision(where):
        for part in track(parts, "reading", console=Console(file=sys.stderr), transient=True):
            batch = encode(reader.text, [texts[row] for row in part], where)
            states = reader.network.lower(batch.input_ids, batch.attention_mask, frozen).float().cpu()
            columns = zip(part, states, batch.attention_mask.cpu(), batch.ngram_ids.cpu(), strict=True)
            for row, state, mask, grams in columns:
                length = int(mask.sum())
                rows[row] = _Batch(state[:length].clone(), mask[:length], grams[grams != PAD_NGRAM])
    return [rows[row] for row in range(len(texts))]


def _probe(network: FusedNetwork, rows: Sequence[_Batch], targets: Tensor, frozen: int) -> None:
    where = device()
    vectors = torch.empty(len(rows), network.head.in_features, device=where)
    with torch.no_grad(), half_precision(where):
        for chosen in alike_in_length(range(len(rows)), 64, lambda row: len(rows[row].states)):
            batch = _stack([rows[row] for row in chosen], where)
            vectors[chosen] = network.upper(batch.states, batch.attention_mask, frozen).float()
    target = targets.to(where)
    probe(network, vectors, lambda logits: functional.cross_entropy(logits, target))


def _stack(rows: Sequence[_Batch], where: torch.device) -> _Batch:
    return _Batch(*(pad_sequence(list(column), batch_first=True).to(where) for column in zip(*rows, strict=True)))


def _batches(rows: Sequence[_Batch], targets: Tensor, recipe: Recipe) -> Iterator[tuple[_Batch, Tensor]]:
    """Random batches of rows of about one length."""
    where = device()
    while True:
        for pool in torch.randperm(len(rows)).split(POOL_BATCHES * recipe.batch_rows):
            batches = alike_in_length(pool.tolist(), recipe.batch_rows, lambda row: len(rows[row].states))
            for chosen in [batches[int(i)] for i in torch.randperm(len(batches))]:
                yield _stack([rows[row] for row in chosen], where), targets[chosen].to(where)


def _cross_entropy(logits: Tensor, target: Tensor, recipe: Recipe) -> Tensor:
    return functional.cross_entropy(logits.float(), target, label_smoothing=recipe.smoothing)


def _divergence(a: Tensor, b: Tensor) -> Tensor:
    """Symmetric Kullback-Leibler divergence of two passes, averaged over rows."""
    p, q = functional.log_softmax(a.float(), -1), functional.log_softmax(b.float(), -1)
    return 0.5 * ((p.exp() - q.exp()) * (p - q)).sum(-1).mean()
