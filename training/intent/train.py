"""Fits the large intent network, the teacher: `python -m training.intent.train`.

N-grams and encoder are fitted one after the other, neither knowing of the other: in a sum, the n-grams would learn the
training lines by heart and leave the encoder nothing to learn.

Most of every batch comes from our own corpus, each time with other noise on it; the public sets bring English,
out-of-scope variety and emotion. Writes the network's weights.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor

from training.batching import encode_ngrams
from training.encoder.folder import e5
from training.intent import examples, objective
from training.intent.examples import Example
from training.intent.mixture import Mixture, Shares
from training.intent.networks import build, load, main_intent_accuracy
from training.optimisation import Schedule, device, fit, half_precision
from training.paths import ENCODER_DIR, INTENT_TEACHER
from training.probe import probe
from training.reader import Reader


@dataclass(frozen=True)
class Recipe:
    """How to fit.

    Attributes:
        shares: What a batch is made of.
        frozen: Lowest layers of the encoder that stay as they are.
        probed: Batches on whose sentence vectors the head is fitted first.
        seed: Of the weights, the sampling and the noise.
        schedule: How many steps, and how large.
        ngram_schedule: The same for the n-grams.
    """

    shares: Shares = field(default_factory=Shares)
    frozen: int = 3
    probed: int = 300
    seed: int = 0
    schedule: Schedule = field(default_factory=lambda: Schedule(steps=3000, encoder_rate=1.2e-4))
    ngram_schedule: Schedule = field(default_factory=lambda: Schedule(steps=6000, ngram_rate=1e-2))


def train(teacher: Reader, rows: Sequence[Example], recipe: Recipe, out: Path) -> None:
    """Fits the network to the rows and writes its weights, now and then and at the end."""
    where = device()
    network = teacher.network.to(where)
    batches = Mixture(rows, recipe.shares, recipe.seed).batches()

    def ngram_loss(batch: list[Example]) -> Tensor:
        grams = encode_ngrams([row.text for row in batch], where)
        return objective.loss(network.split(network.ngrams(grams)), objective.targets(batch, where))

    def encoder_loss(batch: list[Example]) -> Tensor:
        vectors = teacher.vectors([row.text for row in batch])
        return objective.loss(network.split(network.ask(vectors)), objective.targets(batch, where))

    network.tune_ngrams()
    fit(network, batches, ngram_loss, recipe.ngram_schedule)
    if not network.centre.any():  # else it has been fitted before
        fit_head(teacher, list(islice(batches, recipe.probed)))
    network.tune_encoder(recipe.frozen)
    fit(network, batches, encoder_loss, recipe.schedule, out)


def fit_head(teacher: Reader, batches: Sequence[Sequence[Example]]) -> None:
    """Fits the head of a network that was not fitted before to some batches, its encoder left as it is."""
    where = device()
    with torch.no_grad(), half_precision(where):
        vectors = [teacher.vectors([row.text for row in batch]) for batch in batches]
    target = objective.targets([row for batch in batches for row in batch], where)
    network = teacher.network
    probe(network, torch.cat(vectors), lambda logits: objective.loss(network.split(logits), target))


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", type=Path, default=ENCODER_DIR, help="folder of training.encoder.extract")
    parser.add_argument("--out", type=Path, default=INTENT_TEACHER, help="weights file to write (default: %(default)s)")
    parser.add_argument("--start", type=Path, help="weights to go on from, e.g. to adapt a fitted network to new data")
    parser.add_argument("--steps", type=int, default=3000, help="optimiser steps (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of weights, sampling and noise (default: %(default)s)")
    options = parser.parse_args()
    rows = examples.corpus("train") + examples.public()
    examples.check(rows)
    recipe = Recipe(seed=options.seed)
    recipe = replace(recipe, schedule=replace(recipe.schedule, steps=options.steps))
    torch.manual_seed(options.seed)
    network = load(options.encoder, options.start) if options.start else build(options.encoder)
    teacher = Reader(network, e5(options.encoder).text())
    train(teacher, rows, recipe, options.out)
    print(f"{options.out}: fitted to {len(rows)} rows")
    print("main intent right on the validation batches:", main_intent_accuracy(teacher, examples.corpus("val")))


if __name__ == "__main__":
    main()
