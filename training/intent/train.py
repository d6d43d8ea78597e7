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

from services.intent.encoding import TextEncoder
from training.batching import encode_ngrams, encode_tokens
from training.encoder.folder import e5
from training.intent import examples, objective
from training.intent.examples import Example
from training.intent.mixture import Mixture, Shares
from training.intent.networks import build, load, main_intent_accuracy
from training.network import FusedNetwork
from training.optimisation import Schedule, device, fit, half_precision
from training.paths import ENCODER_DIR, INTENT_TEACHER
from training.probe import probe


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


def train(network: FusedNetwork, rows: Sequence[Example], text: TextEncoder, recipe: Recipe, out: Path) -> None:
    """Fits the network to the rows and writes its weights, now and then and at the end."""
    where = device()
    network.to(where)
    batches = Mixture(rows, recipe.shares, recipe.seed).batches()

    def ngram_loss(batch: list[Example]) -> Tensor:
        grams = encode_ngrams([row.text for row in batch], where)
        return objective.loss(network.split(network.ngrams(grams)), objective.targets(batch, where))

    def encoder_loss(batch: list[Example]) -> Tensor:
        vectors = network.pool(*encode_tokens(text, [row.text for row in batch], where))
        return objective.loss(network.split(network.ask(vectors)), objective.targets(batch, where))

    out.parent.mkdir(parents=True, exist_ok=True)

    def save() -> None:
        torch.save(network.state_dict(), out)

    network.tune_ngrams()
    fit(network, batches, ngram_loss, recipe.ngram_schedule)
    if not network.centre.any():  # else it has been fitted before
        fit_head(network, list(islice(batches, recipe.probed)), text)
    network.tune_encoder(recipe.frozen)
    fit(network, batches, encoder_loss, recipe.schedule, save)
    save()


def fit_head(network: FusedNetwork, batches: Sequence[Sequence[Example]], text: TextEncoder) -> None:
    """Fits the head of a network that was not fitted before to some batches, its encoder left as it is."""
    where = device()
    with torch.no_grad(), half_precision(where):
        vectors = [network.pool(*encode_tokens(text, [row.text for row in batch], where)).float() for batch in batches]
    target = objective.targets([row for batch in batches for row in batch], where)
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
    text = e5(options.encoder).text()
    train(network, rows, text, recipe, options.out)
    print(f"{options.out}: fitted to {len(rows)} rows")
    print("main intent right on the validation batches:", main_intent_accuracy(network, text, examples.corpus("val")))


if __name__ == "__main__":
    main()
