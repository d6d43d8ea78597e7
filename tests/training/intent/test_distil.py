"""Distilling on tiny networks, so that it runs in seconds."""

from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs the training extra: make setup-train")

from services.intent.encoding import TextEncoder
from training.encoder.folder import e5
from training.intent import objective
from training.intent.distil import Recipe, distil, imitation, splice, student_of
from training.intent.examples import Example
from training.intent.mixture import Shares
from training.intent.networks import build, load, main_intent_accuracy
from training.network import FusedNetwork
from training.optimisation import Schedule
from training.reader import Reader

pytestmark = pytest.mark.slow  # importing torch alone takes seconds

ROWS = [
    Example("my card is lost", "train_x", ("card_loss_report",), "anxious", 0.5),
    Example("what is my balance", "train_x", ("balance_inquiry",), "neutral", 0.0),
    Example("hello", "train_x", ("chitchat",), "neutral", 0.0),
]


def answers(seed: int) -> dict[str, Any]:
    torch.manual_seed(seed)
    return {name: torch.randn(4, size) for name, size in objective.HEADS.items()}


def test_the_teacher_itself_imitates_best() -> None:
    teacher = answers(0)
    assert imitation(teacher, teacher, 2.0) < imitation(answers(1), teacher, 2.0)


def test_spliced_rows_carry_no_labels_and_the_others_all_of_theirs() -> None:
    for batch in islice(splice(iter([ROWS] * 50), 0.5, Random(0)), 50):
        for row, original in zip(batch, ROWS, strict=True):
            assert row == original or (row.intents, row.emotion, row.intensity) == (None, None, None)


def test_a_student_has_the_teachers_spread_layers(encoder_dir: Path) -> None:
    teacher = build(encoder_dir)
    student = student_of(teacher, 2)
    theirs = teacher.encoder.encoder.layer
    for layer, source in zip(student.encoder.encoder.layer, (theirs[0], theirs[2]), strict=True):
        torch.testing.assert_close(layer.state_dict(), source.state_dict())
    torch.testing.assert_close(student.head.weight, teacher.head.weight)


def test_a_student_comes_closer_to_its_teacher(encoder_dir: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    teacher = Reader(build(encoder_dir), e5(encoder_dir).text())
    student = Reader(student_of(teacher.network, 1), TextEncoder(encoder_dir / "tokenizer.json"))
    for parameter in student.network.encoder.encoder.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    texts = [row.text for row in ROWS]

    def distance(network: FusedNetwork) -> float:
        network.eval()
        with torch.no_grad():
            found = Reader(network, student.text).vectors(texts)
            return float((found - teacher.vectors(texts)).square().mean())

    teacher.network.eval()
    before = distance(student.network)
    shares = Shares(batch_rows=4, prefixes=0.0, sources=(("corpus", 1.0),))
    recipe = Recipe(shares=shares, spliced=0.0, labels=0.0, schedule=Schedule(steps=40, encoder_rate=1e-3))
    distil(teacher, student, ROWS, recipe, tmp_path / "student.pt")
    assert distance(load(encoder_dir, tmp_path / "student.pt")) < before


def test_accuracy_is_a_share(encoder_dir: Path) -> None:
    found = main_intent_accuracy(Reader(build(encoder_dir), e5(encoder_dir).text()), ROWS)
    assert set(found) == {"encoder", "ngrams", "fused"}
    assert all(0.0 <= share <= 1.0 for share in found.values())
