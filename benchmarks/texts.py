"""What callers say in the benchmarks: the corpus's validation utterances."""

import json
import random
from pathlib import Path

_CORPUS = Path(__file__).resolve().parents[1] / "training" / "intent" / "corpus" / "utterances" / "val_a.jsonl"
SHORT_CHARS = 20
"""Length of the utterances that latency is measured on."""


def utterances() -> list[str]:
    """All of them, in an order that does not change."""
    texts = [json.loads(line)["text"] for line in _CORPUS.read_text(encoding="utf-8").splitlines()]
    random.Random(0).shuffle(texts)
    return texts


def short_utterances() -> list[str]:
    """Those of exactly `SHORT_CHARS` characters, spaces included."""
    return [text for text in utterances() if len(text) == SHORT_CHARS]
