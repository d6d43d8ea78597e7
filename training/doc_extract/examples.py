"""Documents to what the role model reads and is to say: windows of tokens, each token with its tag."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from services.doc_extract.finders import find_candidates
from services.doc_extract.schema import credit
from services.doc_extract.understanding.tokens import Tokens, WindowEncoder
from services.doc_extract.understanding.windows import windows
from training.doc_extract.filling import Filled, fill
from training.doc_extract.variation import Variation
from training.doc_extract.wording import SENTENCES, Wording

FIELDS = tuple(field.id for field in credit().fields)
OUTSIDE = 0
UNKNOWN = -100
"""Tag of what only helps to understand."""
UNKNOWN_TOKEN = 3
"""Id of the vocabulary's <unk>."""


def begin(field: int) -> int:
    """Tag of a value's first token."""
    return 1 + 2 * field


def inside(field: int) -> int:
    """Tag of its other tokens."""
    return 2 + 2 * field


TAGS = 1 + 2 * len(FIELDS)


@dataclass(frozen=True, slots=True)
class Example:
    """One window.

    Attributes:
        ids: Token ids.
        tags: For each its tag.
    """

    ids: Sequence[int]
    tags: NDArray[np.int64]


def examples(document: Filled, encoder: WindowEncoder, labels: frozenset[str]) -> list[Example]:
    """The windows of a document."""
    rows = encoder.encode(list(windows(document.text, labels, find_candidates(document.text))))
    return [Example(row.ids, _tags(document, row)) for row in rows]


def _tags(document: Filled, row: Tokens) -> NDArray[np.int64]:
    tags = np.full(len(row.ids), UNKNOWN, np.int64)
    before = -1
    for place, (start, end) in enumerate(zip(row.starts.tolist(), row.ends.tolist(), strict=True)):
        if start < 0:
            continue
        covered = [value for value in document.values[start:end] if value >= 0]
        if 2 * len(covered) < end - start or not covered:
            tags[place], before = OUTSIDE, -1
            continue
        value = max(set(covered), key=covered.count)
        field = FIELDS.index(document.fields[value])
        tags[place] = inside(field) if value == before else begin(field)
        before = value
    return tags


class Stream:
    """Endless examples out of wording, each document filled and varied anew.

    Args:
        wordings: Documents and sentences.
        encoder: Of windows.
        random: Source of chance.
    """

    _DOCUMENT_SHARE = 0.25
    """Share of the draws that are whole documents; one has some ten windows."""
    _HIDDEN_IN, _HIDDEN = 0.3, 0.1
    """Share of the windows in which tokens are hidden, and of their tokens: no single word may decide."""

    def __init__(self, wordings: Sequence[Wording], encoder: WindowEncoder, random: Random) -> None:
        self._documents = [wording for wording in wordings if wording.kind != SENTENCES]
        self._sentences = [wording for wording in wordings if wording.kind == SENTENCES]
        self._encoder, self._random, self._vary = encoder, random, Variation(random)
        self._labels = credit().aliases

    def __iter__(self) -> Iterator[Example]:
        while True:
            yield from self._next()

    def _next(self) -> list[Example]:
        if not self._sentences or (self._documents and self._random.random() < self._DOCUMENT_SHARE):
            return self._examples(self._random.choice(self._documents))
        return self._examples(self._random.choice(self._sentences))

    def _examples(self, wording: Wording) -> list[Example]:
        found = examples(self._vary(fill(wording, self._random)), self._encoder, self._labels)
        return [self._hidden(each) if self._random.random() < self._HIDDEN_IN else each for each in found]

    def _hidden(self, example: Example) -> Example:
        ids = [example.ids[0]]
        ids += [UNKNOWN_TOKEN if self._random.random() < self._HIDDEN else token for token in example.ids[1:-1]]
        return Example([*ids, example.ids[-1]], example.tags)
