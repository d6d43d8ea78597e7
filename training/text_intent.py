"""The intent recipe on any set of texts with one label each: what `bankai eval text-intent` trains and judges.

Each encoder that can read the texts votes. Its head is fitted first; then encoder and n-grams are each tuned with
softmax cross-entropy over the labels. The labels' names are training texts, too. Regularised dropout (R-Drop, Liang et
al., 2021, arXiv:2106.14448) makes two passes over the same row agree, which is worth most where rows are few.
"""

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import torch
from rich.console import Console
from rich.progress import track
from torch import Tensor
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from services.intent.encoding import PAD_NGRAM
from training.batching import POOL_BATCHES, alike_in_length, encode
from training.encoder.folder import EncoderFolder
from training.network import FusedNetwork
from training.optimisation import Schedule, device, fit, half_precision
from training.probe import probe
from training.reader import Reader


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
        found = torch.zeros(len(texts), len(self._labels))
        with torch.no_grad(), half_precision(device()):
            for rows in alike_in_length(range(len(texts)), 64, lambda row: len(texts[row])):
                for reader in self._readers:
                    logits = reader.network.fuse(reader.answers([texts[row] for row in rows]))
                    found[rows] += logits.float().log_softmax(-1).cpu()
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
    targets = targets.to(device())
    steps = max(recipe.schedule.steps, recipe.epochs * len(texts) // recipe.batch_rows)
    schedule = replace(recipe.schedule, steps=steps)

    def read(chosen: list[int]) -> tuple[Tensor, Tensor]:
        return _padded(rows[row].states for row in chosen), _padded(rows[row].attention_mask for row in chosen)

    def ngram_loss(chosen: list[int]) -> Tensor:
        grams = _padded(rows[row].ngram_ids for row in chosen)
        return _cross_entropy(network.ngrams(grams), targets[chosen], recipe)

    def encoder_loss(chosen: list[int]) -> Tensor:
        states, mask = read(chosen)
        first = network.ask(network.upper(states, mask, frozen))
        value = _cross_entropy(first, targets[chosen], recipe)
        if len(texts) < recipe.agreement_rows:
            second = network.ask(network.upper(states, mask, frozen))
            value = value + _cross_entropy(second, targets[chosen], recipe)
            value = value + recipe.agreement * _divergence(first, second)
        return value

    vectors = torch.empty(len(rows), network.head.in_features, device=device())
    with torch.no_grad(), half_precision(device()):
        for chosen in alike_in_length(range(len(rows)), 64, lambda row: len(rows[row].states)):
            vectors[chosen] = network.upper(*read(chosen), frozen)
    probe(network, vectors, lambda logits: functional.cross_entropy(logits, targets))
    network.tune_ngrams()
    fit(network, _batches(rows, recipe.batch_rows), ngram_loss, schedule)
    network.tune_encoder(frozen)
    fit(network, _batches(rows, recipe.batch_rows), encoder_loss, schedule)


class _Row(NamedTuple):
    """One text as the frozen layers see it.

    Attributes:
        states: [length, hidden] of the highest frozen layer.
        attention_mask: [length] of ones.
        ngram_ids: [n-grams].
    """

    states: Tensor
    attention_mask: Tensor
    ngram_ids: Tensor


def _prepare(reader: Reader, texts: Sequence[str], frozen: int) -> list[_Row]:
    """Every text as the frozen layers see it, computed once; on the CPU."""
    reader.network.eval()
    rows: dict[int, _Row] = {}
    parts = alike_in_length(range(len(texts)), 64, lambda row: len(texts[row]))
    where = device()
    with torch.no_grad(), half_precision(where):
        for part in track(parts, "reading", console=Console(file=sys.stderr), transient=True):
            batch = encode(reader.text, [texts[row] for row in part], where)
            states = reader.network.lower(batch.input_ids, batch.attention_mask, frozen).float().cpu()
            columns = zip(part, states, batch.attention_mask.cpu(), batch.ngram_ids.cpu(), strict=True)
            for row, state, mask, grams in columns:
                length = int(mask.sum())
                rows[row] = _Row(state[:length].clone(), mask[:length], grams[grams != PAD_NGRAM])
    return [rows[row] for row in range(len(texts))]


def _padded(columns: Iterable[Tensor]) -> Tensor:
    return pad_sequence(list(columns), batch_first=True).to(device())


def _batches(rows: Sequence[_Row], size: int) -> Iterator[list[int]]:
    """Random batches of indices of rows of about one length."""
    while True:
        for pool in torch.randperm(len(rows)).split(POOL_BATCHES * size):
            batches = alike_in_length(pool.tolist(), size, lambda row: len(rows[row].states))
            yield from (batches[int(i)] for i in torch.randperm(len(batches)))


def _cross_entropy(logits: Tensor, target: Tensor, recipe: Recipe) -> Tensor:
    return functional.cross_entropy(logits.float(), target, label_smoothing=recipe.smoothing)


def _divergence(a: Tensor, b: Tensor) -> Tensor:
    """Symmetric Kullback-Leibler divergence of two passes, averaged over rows."""
    p, q = functional.log_softmax(a.float(), -1), functional.log_softmax(b.float(), -1)
    return 0.5 * ((p.exp() - q.exp()) * (p - q)).sum(-1).mean()
