"""Distils the teacher into the small network that is served: `python -m training.intent.distil`.

The student keeps a few of the teacher's layers, evenly spread, its embeddings, heads and n-grams, and reads the text
without the encoder's prefix. It learns the teacher's sentence vectors and softened answers (Hinton et al., 2015,
arXiv:1503.02531; Sanh et al., 2019, arXiv:1910.01108), and a little of the labels themselves. Some of what it reads is
put together from pieces of two lines: nobody has labelled that, and the teacher need not have seen it.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

import torch
from torch import Tensor
from torch.nn import functional

from services.intent.encoding import TextEncoder
from training.encoder.folder import e5
from training.intent import examples, objective
from training.intent.examples import Example
from training.intent.mixture import Mixture, Shares
from training.intent.networks import keep_layers, load, main_intent_accuracy
from training.network import FusedNetwork
from training.optimisation import Schedule, device, fit
from training.paths import ENCODER_DIR, INTENT_STUDENT, INTENT_TEACHER
from training.reader import Reader

LAYERS = 5
"""Layers of the student's encoder: what answers within 5 ms on one thread of a plain server."""


@dataclass(frozen=True)
class Recipe:
    """How to distil.

    Attributes:
        shares: What a batch is made of.
        spliced: Share of the rows put together from two.
        temperature: Softens the answers.
        vectors: Weight of the sentence vectors' loss.
        labels: Weight of the labels' own loss.
        seed: Of the sampling and the noise.
        schedule: How many steps, and how large.
    """

    shares: Shares = field(default_factory=lambda: Shares(batch_rows=32))
    spliced: float = 0.25
    temperature: float = 2.0
    vectors: float = 1.0
    labels: float = 0.3
    seed: int = 0
    schedule: Schedule = field(
        default_factory=lambda: Schedule(steps=2400, encoder_rate=3e-4, layer_decay=1.0, head_rate=3e-4)
    )


def student_of(teacher: FusedNetwork, layers: int) -> FusedNetwork:
    """An untrained student: some layers of the teacher's encoder, and everything else as the teacher has it."""
    student = deepcopy(teacher)
    keep_layers(student, layers)
    return student


def splice(batches: Iterator[list[Example]], share: float, random: Random) -> Iterator[list[Example]]:
    """Gives some rows of every batch the end of another's text; of these nothing is known."""
    for batch in batches:
        texts = [row.text for row in batch]
        yield [
            Example(_spliced(row.text, random.choice(texts), random), row.source) if random.random() < share else row
            for row in batch
        ]


def _spliced(first: str, second: str, random: Random) -> str:
    return first[: random.randint(len(first) // 3, len(first))] + " " + second[random.randint(0, len(second) // 2) :]


def imitation(student: Mapping[str, Tensor], teacher: Mapping[str, Tensor], temperature: float) -> Tensor:
    """How far the student's answers are from the teacher's, all questions together."""
    ours, theirs = (torch.cat([a["intents"], a["out_of_scope"]], -1).float() for a in (student, teacher))
    value = _softened(ours, theirs, temperature) + _softened(
        student["emotions"].float(), teacher["emotions"].float(), temperature
    )
    each = functional.binary_cross_entropy_with_logits(ours, torch.sigmoid(theirs), reduction="none")
    strength = functional.mse_loss(
        torch.sigmoid(student["intensity"].float()), torch.sigmoid(teacher["intensity"].float())
    )
    return value + each.sum(-1).mean() + 2.0 * strength


def _softened(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    target = functional.softmax(teacher / temperature, -1)
    return functional.cross_entropy(student / temperature, target) * temperature**2


def distil(teacher: Reader, student: Reader, rows: Sequence[Example], recipe: Recipe, out: Path) -> None:
    """Fits the student to the rows as the teacher reads them; writes its weights, now and then and at the end."""
    where = device()
    teacher.network.to(where).eval()
    student.network.to(where).tune_encoder(frozen=0)
    batches = splice(Mixture(rows, recipe.shares, recipe.seed).batches(), recipe.spliced, Random(recipe.seed))

    def loss(batch: list[Example]) -> Tensor:
        heard = [row.text for row in batch]
        with torch.no_grad():
            wanted = teacher.vectors(heard)
            theirs = teacher.network.split(teacher.network.ask(wanted))
        found = student.vectors(heard)
        ours = student.network.split(student.network.ask(found))
        vectors = functional.mse_loss(found, wanted)
        value = imitation(ours, theirs, recipe.temperature) + recipe.vectors * vectors
        return value + recipe.labels * objective.loss(ours, objective.targets(batch, where))

    fit(student.network, batches, loss, recipe.schedule, out)


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", type=Path, default=ENCODER_DIR, help="folder of training.encoder.extract")
    parser.add_argument("--teacher", type=Path, default=INTENT_TEACHER, help="weights file of training.intent.train")
    parser.add_argument("--out", type=Path, default=INTENT_STUDENT, help="weights file to write (default: %(default)s)")
    parser.add_argument("--start", type=Path, help="weights of a student to go on from, e.g. on new data")
    parser.add_argument("--layers", type=int, default=LAYERS, help="layers of the student (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=2400, help="optimiser steps (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the sampling and the noise (default: %(default)s)")
    options = parser.parse_args()
    rows = examples.corpus("train") + examples.public()
    recipe = Recipe(seed=options.seed)
    recipe = replace(recipe, schedule=replace(recipe.schedule, steps=options.steps))
    torch.manual_seed(options.seed)
    teacher = Reader(load(options.encoder, options.teacher), e5(options.encoder).text())
    start: Path | None = options.start
    network = load(options.encoder, start) if start else student_of(teacher.network, options.layers)
    student = Reader(network, TextEncoder(options.encoder / "tokenizer.json"))
    distil(teacher, student, rows, recipe, options.out)
    print(f"{options.out}: fitted to {len(rows)} rows")
    for name, reader in (("teacher", teacher), ("student", student)):
        found = main_intent_accuracy(reader, examples.corpus("val"))
        print(f"main intent right on the validation batches, {name}: {found}")


if __name__ == "__main__":
    main()
