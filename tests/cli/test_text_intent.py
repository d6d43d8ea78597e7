"""`bankai eval text-intent`: what it refuses, how it samples, and what it passes on to the training."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from bankai.errors import InvalidRequestError
from services.intent.cli import text_intent
from tests.cli.conftest import Run


@pytest.fixture
def train(tmp_path: Path) -> Path:
    file = tmp_path / "train.csv"
    rows = [f"{category} number {i},{category}" for category in ("card", "loan") for i in range(20)]
    file.write_text("\n".join(["text,category", *rows]) + "\n", encoding="utf-8")
    return file


def test_unusable_files_exit_2(bankai: Run, train: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    for content, message in [
        ("text\nhello\n", "has no column 'category'"),
        ("text,category\nhello,weather\n", "'weather' is not in the training file"),
    ]:
        other.write_text(content, encoding="utf-8")
        done = bankai("eval", "text-intent", "--train", train, "--test", other)
        assert done.returncode == 2
        assert message in done.stderr
    other.write_text("text,category\nhello,card\n", encoding="utf-8")
    done = bankai("eval", "text-intent", "--train", other, "--test", other)
    assert (done.returncode, "two categories" in done.stderr) == (2, True)
    assert bankai("eval", "text-intent", "--train", train, "--test", train, "--shots", "0").returncode == 2


def test_without_the_training_extra_it_says_what_to_run(train: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_intent, "find_spec", lambda module: None)
    with pytest.raises(InvalidRequestError, match="make setup-train"):
        text_intent.train_and_judge(train, train, None)


def test_shots_are_the_same_every_time_and_balanced() -> None:
    rows = [(f"{category}{i}", category) for category in "abc" for i in range(30)] + [("d0", "d")]
    chosen = text_intent.few_shots(rows, 5)
    assert chosen == text_intent.few_shots(rows, 5)
    assert [sum(row[1] == category for row in chosen) for category in "abcd"] == [5, 5, 5, 1]
    assert len(set(chosen)) == len(chosen)


def test_metrics(train: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a stand-in for the training, which needs torch and minutes."""
    seen: list[int] = []

    class Parrot:
        def predict(self, texts: list[str]) -> list[str]:
            return ["card"] * len(texts)

    def fit(texts: list[str], labels: list[str], encoders: list[str]) -> Parrot:
        assert encoders == ["reads them"]
        seen.append(len(texts))
        return Parrot()

    monkeypatch.setattr(text_intent, "find_spec", lambda module: module)
    monkeypatch.setattr(text_intent, "_extract_encoder", lambda folder: None)
    monkeypatch.setitem(sys.modules, "training.text_intent", SimpleNamespace(train=fit))
    stand_in = SimpleNamespace(readers_of=lambda texts, e5_dir: ["reads them"])
    monkeypatch.setitem(sys.modules, "training.encoder.folder", stand_in)
    metrics = text_intent.train_and_judge(train, train, 10)
    assert seen == [20]
    assert list(metrics) == ["n_train", "n_test", "accuracy", "macro_f1", "train_s"]
    assert (metrics["n_train"], metrics["n_test"], metrics["accuracy"]) == (20, 40, 0.5)
    assert metrics["macro_f1"] == pytest.approx((2 / 3 + 0) / 2)
