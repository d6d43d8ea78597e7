"""Windows to the role model's inputs, and its tokens back to places in the document."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from services.doc_extract.understanding.windows import Window

BUCKETS = (48, 64, 96, 128, 160, 192, 256)
"""Lengths that windows are padded to: only requests of one shape share a batch."""
PAD = 1
_SPACE = "▁"


@dataclass(frozen=True, slots=True)
class Tokens:
    """One window as the model reads it.

    Attributes:
        ids: Token ids with <s> and </s>, at most the largest bucket.
        starts: For each the place in the document's text where it begins; -1 for what is not the window's own.
        ends: One past its last character; -1 likewise.
    """

    ids: Sequence[int]
    starts: NDArray[np.int32]
    ends: NDArray[np.int32]


class WindowEncoder:
    """Turns windows into tokens.

    Args:
        tokenizer: tokenizer.json of the model's version.
    """

    def __init__(self, tokenizer: Path) -> None:
        self._tokenizer: Any = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()

    def encode(self, windows: Sequence[Window]) -> list[Tokens]:
        """The tokens of each window."""
        encodings = self._tokenizer.encode_batch([window.text for window in windows])
        return [_placed(window, encoding) for window, encoding in zip(windows, encodings, strict=True)]


def _placed(window: Window, encoding: Any) -> Tokens:
    longest = BUCKETS[-1]
    offsets = np.array(encoding.offsets[:longest], np.int32)
    own = np.array([token != _SPACE for token in encoding.tokens[:longest]])
    left, right = offsets[:, 0], offsets[:, 1]
    own &= right > left
    starts = np.full(len(offsets), -1, np.int32)
    ends = np.full(len(offsets), -1, np.int32)
    starts[own] = window.origin[left[own]]
    ends[own] = window.origin[right[own] - 1] + 1
    # A token that reaches from the help before into the text, or out of it, belongs to neither.
    outside = (starts < 0) | (ends <= 0)
    starts[outside] = ends[outside] = -1
    return Tokens(encoding.ids[:longest], starts, ends)


def padded(rows: Sequence[Tokens]) -> dict[str, NDArray[np.int64]]:
    """Inputs of the model for windows of one bucket: input_ids and attention_mask, [rows, bucket]."""
    length = bucket(max(len(row.ids) for row in rows))
    ids = np.full((len(rows), length), PAD, np.int64)
    for place, row in enumerate(rows):
        ids[place, : len(row.ids)] = row.ids
    return {"input_ids": ids, "attention_mask": (ids != PAD).astype(np.int64)}


def bucket(length: int) -> int:
    """The smallest bucket that holds so many tokens."""
    return next(size for size in BUCKETS if length <= size)
