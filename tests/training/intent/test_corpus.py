"""The corpus keeps the promises of its README."""

from collections import Counter
from itertools import pairwise

import pytest

from services.intent.ngrams import ngram_ids
from services.intent.text import normalise
from training.intent import examples
from training.intent.taxonomy import taxonomy

BATCHES = {name: [row for row in examples.corpus(name) if row.source != "calls"] for name in ("train", "val", "test")}
EVERYTHING = [row for rows in BATCHES.values() for row in rows]


def test_labels_are_in_the_taxonomy() -> None:
    examples.check(EVERYTHING)


def test_it_is_as_large_as_promised() -> None:
    counts = Counter(intent for row in EVERYTHING for intent in row.intents or ())
    assert len(EVERYTHING) >= 4000
    assert min(counts[intent] for intent in taxonomy().intent_ids) >= 60
    assert counts["out_of_scope"] >= 500
    assert sum(len(row.intents or ()) > 1 for row in EVERYTHING) >= 400


def test_every_utterance_carries_an_emotion_and_its_strength() -> None:
    assert all(row.emotion is not None and row.intensity is not None and 0 <= row.intensity <= 1 for row in EVERYTHING)


def test_out_of_scope_stands_alone() -> None:
    assert all(row.intents == ("out_of_scope",) for row in EVERYTHING if "out_of_scope" in (row.intents or ()))


@pytest.mark.parametrize("held_out", ["val", "test"])
def test_no_held_out_utterance_is_trained_on(held_out: str) -> None:
    trained = {normalise(row.text).replace(" ", "") for row in BATCHES["train"]}
    assert not [row.text for row in BATCHES[held_out] if normalise(row.text).replace(" ", "") in trained]


def test_lines_are_no_templates() -> None:
    """Few pairs of neighbouring lines share most of their n-grams."""
    alike = 0
    for rows in BATCHES.values():
        grams = [set(ngram_ids(normalise(row.text))) for row in rows]
        alike += sum(len(a & b) > 0.6 * len(a | b) for a, b in pairwise(grams))
    assert alike < 0.01 * len(EVERYTHING)


def test_an_unknown_label_is_named() -> None:
    with pytest.raises(ValueError, match="unknown label"):
        examples.check([examples.Example("你好", "here", ("greeting",))])
