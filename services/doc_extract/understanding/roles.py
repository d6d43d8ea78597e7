"""What the role model says of a document: for every token, which field's value it belongs to."""

import asyncio
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from bankai.inference.backend import InferenceBackend, InferenceResult
from services.doc_extract.candidate import Candidate
from services.doc_extract.understanding.tokens import Tokens, WindowEncoder, bucket, padded
from services.doc_extract.understanding.windows import windows

MODEL = "doc_roles"
OUTPUT = "tags"

_ROWS = 8
"""Windows in one request."""


@dataclass(frozen=True, slots=True)
class Roles:
    """Tags of a document's tokens, in the order of the text.

    Attributes:
        starts: (tokens,): where each begins.
        ends: (tokens,): one past its last character.
        begin: (tokens, fields): probability that it is the first of a value of the field.
        inside: (tokens, fields): probability that it is another of its tokens.
        version: Version of the model that answered; empty where there was nothing to ask.
    """

    starts: NDArray[np.int32]
    ends: NDArray[np.int32]
    begin: NDArray[np.float32]
    inside: NDArray[np.float32]
    version: str = ""

    @property
    def either(self) -> NDArray[np.float32]:
        """(tokens, fields): probability that it belongs to a value of the field."""
        return self.begin + self.inside

    def within(self, start: int, end: int) -> slice:
        """The tokens that a span of the text touches."""
        return slice(int(np.searchsorted(self.ends, start, "right")), int(np.searchsorted(self.starts, end, "left")))


class RoleModel:
    """Reads documents' texts. Belongs to one event loop.

    Args:
        backend: Runs the model.
        encoder: Turns windows into its inputs.
        fields: Ids of the fields that it knows, in the order of its outputs.
        labels: What fields are called in print, to know a table's header by.
    """

    def __init__(
        self, backend: InferenceBackend, encoder: WindowEncoder, fields: Sequence[str], labels: Collection[str]
    ) -> None:
        self._backend = backend
        self._encoder = encoder
        self._labels = labels
        self.fields = tuple(fields)

    async def read(self, text: str, candidates: Sequence[Candidate], deadline: float) -> Roles:
        """The roles in a text.

        Args:
            text: Of a whole document.
            candidates: What has the form of a value in it.
            deadline: time.monotonic() after which the answer is of no use any more.

        Raises:
            BankaiError: As `InferenceBackend.infer` raises it.
        """
        rows = await asyncio.to_thread(self._encode, text, candidates)
        groups = list(_groups(rows))
        answers = await asyncio.gather(*(self._ask(group, deadline) for group in groups))
        tagged = [
            pair
            for group, answer in zip(groups, answers, strict=True)
            for pair in zip(group, answer.outputs[OUTPUT], strict=True)
        ]
        return _joined(tagged, len(self.fields), answers[-1].version if answers else "")

    def _encode(self, text: str, candidates: Sequence[Candidate]) -> list[Tokens]:
        return self._encoder.encode(list(windows(text, self._labels, candidates)))

    async def _ask(self, rows: Sequence[Tokens], deadline: float) -> InferenceResult:
        return await self._backend.infer(MODEL, padded(rows), timeout=deadline - time.monotonic())


def _groups(rows: Sequence[Tokens]) -> Iterator[list[Tokens]]:
    """Windows of one bucket together, so that little is computed for padding."""
    ordered = sorted(rows, key=lambda row: len(row.ids))
    for _, group in groupby(ordered, key=lambda row: bucket(len(row.ids))):
        members = list(group)
        for start in range(0, len(members), _ROWS):
            yield members[start : start + _ROWS]


def _joined(answers: Sequence[tuple[Tokens, NDArray[np.float32]]], fields: int, version: str) -> Roles:
    """The windows' own tokens in the order of the text."""
    starts, ends, tags = [np.empty(0, np.int32)], [np.empty(0, np.int32)], [np.empty((0, 1 + 2 * fields), np.float32)]
    for row, probabilities in answers:
        own = row.starts >= 0
        starts.append(row.starts[own])
        ends.append(row.ends[own])
        tags.append(probabilities[: len(own)][own])
    start = np.concatenate(starts)
    order = np.argsort(start, kind="stable")
    tag = np.concatenate(tags)[order]
    return Roles(start[order], np.concatenate(ends)[order], tag[:, 1::2], tag[:, 2::2], version)
