"""A repository whose model triples what it is asked, and candidates for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from onnx import helper

from bankai.inference.repository import ModelRepository
from bankai.rollout.rollout import Control, Rollout
from tests.bankai.inference import models

GATE = """
service: toy
evaluations:
  - command: toy
    data: [toy.txt]
    metrics:
      accuracy: {margin: 0.02, at_least: 0.5}
      error: {margin: 0.1, better: lower, at_most: 2}
  - command: other
    metrics:
      accuracy: {margin: 0}
"""


@dataclass
class FakeJudge:
    """Judges by what a version's file `metrics` says; remembers what it was asked."""

    asked: list[tuple[str, str, str]] = field(default_factory=list)

    def __call__(self, models_dir: Path, service: str, command: str, data: Path) -> Mapping[str, float | None]:
        self.asked.append((service, command, data.name))
        folder = ModelRepository(models_dir).version_dir("double")
        accuracy, error = (folder / "model.onnx.metrics").read_text().split()
        return {"accuracy": float(accuracy), "error": float(error)}


def write_version(folder: Path, *, accuracy: float = 0.8, error: float = 1.0) -> Path:
    nodes = (helper.make_node("Add", ["x", "x"], ["z"]), helper.make_node("Add", ["z", "x"], ["y"]))
    models.double(nodes=nodes).write(folder)
    version = folder / "double" / "1"
    (version / "model.onnx.metrics").write_text(f"{accuracy} {error}")
    (version / "labels.json").write_text("[1]")
    return version


@pytest.fixture
def repository(tmp_path: Path) -> ModelRepository:
    root = tmp_path / "models"
    write_version(root)
    models.double("neighbour").write(root)
    (root / "double" / "gate.yaml").write_text(GATE)
    (root / "double" / "toy.txt").write_text("data")
    return ModelRepository(root)


@pytest.fixture
def candidate(tmp_path: Path) -> Callable[..., Path]:
    made: list[Path] = []

    def make(*, accuracy: float = 0.81, error: float = 0.9) -> Path:
        made.append(write_version(tmp_path / f"candidate{len(made)}", accuracy=accuracy, error=error))
        return made[-1]

    return make


@pytest.fixture
def judge() -> FakeJudge:
    return FakeJudge()


Open = Callable[..., Rollout]


@pytest.fixture
def rollout(repository: ModelRepository, judge: FakeJudge) -> Open:
    def open_rollout(control: Control | None = None) -> Rollout:
        return Rollout(repository, "double", by="me", judge=judge, control=control)

    return open_rollout


def served(repository: ModelRepository) -> str:
    return repository.version_dir("double").name
