"""Fits the intent network to our corpus and the licensed public sets: `python -m training.intent.train`.

Most of every batch comes from our own corpus, each time with other noise on it; the public sets bring English,
out-of-scope variety and emotion. The lowest layers of the encoder stay as they are. Writes the network's weights.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

import torch
from torch import Tensor
from transformers import BertModel

from services.intent.encoding import TextEncoder
from training.batching import POOL_BATCHES, TextBatch, alike_in_length, encode
from training.intent import examples, objective
from training.intent.examples import Example
from training.intent.noise import Homophones, Noise
from training.network import FusedNetwork
from training.optimisation import Schedule, device, fit
from training.paths import ENCODER_DIR, INTENT_WEIGHTS

NGRAM_WEIGHT = 2.0
"""Say of the n-grams beside the encoder; chosen on the validation batch."""


@dataclass(frozen=True)
class Recipe:
    """How to fit.

    Attributes:
        batch_rows: Rows of a batch.
        frozen: Lowest layers of the encoder that stay as they are.
        prefixes: Share of the rows that are cut short, as partial transcripts are.
        ngram_share: Weight of the n-grams' own loss.
        seed: Of the weights, the sampling and the noise.
        sources: Share of the rows by source; "corpus" stands for all batches of our own.
        schedule: How many steps, and how large.
    """

    batch_rows: int = 32
    frozen: int = 6
    prefixes: float = 0.2
    ngram_share: float = 0.5
    seed: int = 0
    sources: tuple[tuple[str, float], ...] = (
        ("corpus", 0.66),
        ("banking77", 0.10),
        ("clinc150", 0.09),
        ("multidogo", 0.01),
        ("nlupp", 0.01),
        ("cped", 0.08),
        ("goemotions", 0.05),
    )
    schedule: Schedule = field(default_factory=lambda: Schedule(steps=1500, encoder_rate=1.2e-4, ngram_rate=1e-2))


class Mixture:
    """An endless stream of noisy batches.

    Args:
        rows: All training rows.
        recipe: Shares of the sources, and the seed of the sampling and the noise.
    """

    def __init__(self, rows: Sequence[Example], recipe: Recipe) -> None:
        self._random = Random(recipe.seed)
        self._recipe = recipe
        self._noise = Noise(Homophones(row.text for row in rows), self._random)
        named = {name for name, _ in recipe.sources}
        self._pools = {
            name: _Pool(
                [row for row in rows if (row.source if row.source in named else "corpus") == name], self._random
            )
            for name in named
        }

    def batches(self, encoder: TextEncoder) -> Iterator[tuple[TextBatch, objective.Targets]]:
        """Inputs and targets, on the training device."""
        where = device()
        while True:
            rows = self._draw(POOL_BATCHES * self._recipe.batch_rows)
            batches = alike_in_length(rows, self._recipe.batch_rows, lambda row: len(row.text))
            for batch in self._random.sample(batches, len(batches)):
                yield encode(encoder, [self._hear(row.text) for row in batch], where), objective.targets(batch, where)

    def _draw(self, count: int) -> list[Example]:
        names, shares = zip(*self._recipe.sources, strict=True)
        return [self._pools[name].draw() for name in self._random.choices(names, shares, k=count)]

    def _hear(self, text: str) -> str:
        if self._random.random() < self._recipe.prefixes:
            text = self._noise.prefix(text, least=0.5)
        return self._noise(text)


class _Pool:
    """Draws every row once, in random order, before any comes again."""

    def __init__(self, rows: list[Example], random: Random) -> None:
        self._rows = rows
        self._random = random
        self._left: list[Example] = []

    def draw(self) -> Example:
        if not self._left:
            self._left = self._random.sample(self._rows, len(self._rows))
        return self._left.pop()


def build(encoder_dir: Path) -> FusedNetwork:
    """The network with untrained heads on the encoder of a folder."""
    return FusedNetwork(
        BertModel.from_pretrained(encoder_dir, add_pooling_layer=False), objective.HEADS, ngram_weight=NGRAM_WEIGHT
    )


def train(network: FusedNetwork, rows: Sequence[Example], encoder: TextEncoder, recipe: Recipe, out: Path) -> None:
    """Fits the network to the rows and writes its weights, now and then and at the end."""
    network.to(device())
    network.freeze(recipe.frozen)

    def loss(batch: tuple[TextBatch, objective.Targets]) -> Tensor:
        inputs, target = batch
        answers = network(*inputs)
        encoder = objective.loss(network.split(answers.encoder), target)
        ngram = objective.loss(network.split(answers.ngram), target)
        return encoder + recipe.ngram_share * ngram

    batches = Mixture(rows, recipe).batches(encoder)
    out.parent.mkdir(parents=True, exist_ok=True)

    def save() -> None:
        torch.save(network.state_dict(), out)

    fit(network, batches, loss, recipe.schedule, save)
    save()


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", type=Path, default=ENCODER_DIR, help="folder of training.encoder.extract")
    parser.add_argument("--out", type=Path, default=INTENT_WEIGHTS, help="weights file to write (default: %(default)s)")
    parser.add_argument("--start", type=Path, help="weights to go on from, e.g. to adapt a fitted network to new data")
    parser.add_argument("--steps", type=int, default=1500, help="optimiser steps (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of weights, sampling and noise (default: %(default)s)")
    options = parser.parse_args()
    rows = examples.corpus("train") + examples.public()
    examples.check(rows)
    recipe = Recipe(seed=options.seed)
    recipe = replace(recipe, schedule=replace(recipe.schedule, steps=options.steps))
    torch.manual_seed(options.seed)
    network = build(options.encoder)
    if options.start:
        network.load_state_dict(torch.load(options.start, weights_only=True))
    train(network, rows, TextEncoder(options.encoder / "tokenizer.json"), recipe, options.out)
    print(f"{options.out}: fitted to {len(rows)} rows")


if __name__ == "__main__":
    main()
