"""Text to tensors, in the shapes that the intent models take."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from services.intent.ngrams import ngram_ids
from services.intent.text import normalise

Ids = NDArray[np.int64]

TOKEN_BUCKETS = (16, 20, 24, 32, 48, 64, 96, 128)
NGRAM_BUCKETS = (32, 64, 96, 128, 192, 256)
"""Lengths that sequences are padded to: only requests of one shape share a batch, so few shapes make full batches."""

PAD_TOKEN = 1
UNKNOWN_TOKEN = 3
PAD_NGRAM = 0


class TextEncoder:
    """Turns utterances into the models' inputs.

    Args:
        tokenizer: tokenizer.json of the model's version.
        prefix: What the model expects before every text; the served ones expect nothing.
    """

    def __init__(self, tokenizer: Path, prefix: str = "") -> None:
        self._prefix = prefix
        self._tokenizer: Any = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()

    def tokens(self, text: str) -> list[int]:
        """Token ids with the prefix, <s> and </s>; a text over 128 tokens keeps its beginning and its end."""
        ids: list[int] = self._tokenizer.encode(self._prefix + normalise(text)).ids
        longest = TOKEN_BUCKETS[-1]
        return ids if len(ids) <= longest else ids[: longest // 2] + ids[-longest // 2 :]

    def full(self, text: str) -> dict[str, Ids]:
        """Inputs of the model `intent`, one row: input_ids, attention_mask and ngram_ids, padded to their buckets."""
        tokens = self.tokens(text)
        length = bucket(len(tokens), TOKEN_BUCKETS)
        return {
            "input_ids": _row(tokens, length, PAD_TOKEN),
            "attention_mask": _row([1] * len(tokens), length, 0),
            **ngrams(text),
        }


def ngrams(text: str) -> dict[str, Ids]:
    """Input of the model `intent_partial`, one row: ngram_ids, padded to its bucket."""
    ids = ngram_ids(normalise(text))
    return {"ngram_ids": _row(ids, bucket(len(ids), NGRAM_BUCKETS), PAD_NGRAM)}


def bucket(length: int, buckets: tuple[int, ...]) -> int:
    """The smallest bucket that holds the length; the largest one where none does."""
    return next((size for size in buckets if length <= size), buckets[-1])


def _row(values: list[int], length: int, padding: int) -> Ids:
    row = np.full((1, length), padding, np.int64)
    row[0, : len(values)] = values
    return row
