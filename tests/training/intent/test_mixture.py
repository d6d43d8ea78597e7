from collections import Counter
from itertools import islice

import pytest

pytest.importorskip("torch", reason="needs the training extra: make setup-train")

from training.batching import POOL_BATCHES
from training.intent.examples import Example
from training.intent.mixture import Mixture, Shares

pytestmark = pytest.mark.slow  # importing torch alone takes seconds

ROWS = [Example(f"这是第{number}句话", "train_x") for number in "一二三四五六七八九十"]
ENGLISH = [Example("i lost my card", "banking77")]


def test_sources_have_their_shares() -> None:
    shares = Shares(batch_rows=10, sources=(("corpus", 0.7), ("banking77", 0.3)))
    drawn = [row.source for batch in islice(Mixture(ROWS + ENGLISH, shares, 0).batches(), 200) for row in batch]
    assert 0.25 < drawn.count("banking77") / len(drawn) < 0.35


def test_every_row_comes_before_any_comes_again() -> None:
    shares = Shares(batch_rows=5, prefixes=0.0, sources=(("corpus", 1.0),))
    rows = [Example(row.text, row.source, (row.text,)) for row in ROWS]  # the noise changes the text, not the labels
    batches = Mixture(rows, shares, 0).batches()
    counts = Counter(row.intents for batch in islice(batches, 8) for row in batch)
    assert set(counts.values()) == {4}


def test_batches_are_of_about_one_length() -> None:
    long = [Example("很长" * 30, "train_x") for _ in range(10)]
    shares = Shares(batch_rows=5, prefixes=0.0, sources=(("corpus", 1.0),))
    batches = islice(Mixture(ROWS + long, shares, 0).batches(), 40)
    mixed = [batch for batch in batches if len({len(row.text) > 30 for row in batch}) > 1]
    assert len(mixed) <= 40 // POOL_BATCHES  # one of those drawn together may be
