"""Characters of a page to pieces of lines without wide gaps, and those to rows."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.doc_extract.page import CharBoxes, Line

_WIDE_GAP = 1.6
"""Heights of a character between two pieces of a row that are cells of their own."""
_SAME_ROW = 0.5
"""Share of the smaller height by which pieces of one row overlap."""


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The characters of a page in the order of the file, with line breaks.

    Attributes:
        text: The characters.
        boxes: A box for each; without meaning for line breaks.
    """

    text: str
    boxes: CharBoxes

    def of(self, kept: NDArray[np.bool_]) -> "Glyphs":
        """Some of them. Line breaks all stay, so that pieces of lines stay apart."""
        places = np.flatnonzero(kept | np.isin(list(self.text), ["\r", "\n"])) if len(self.text) else np.empty(0, int)
        return Glyphs("".join(self.text[at] for at in places), self.boxes[places])

    def __bool__(self) -> bool:
        return not self.text.isspace() and bool(self.text)


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a line without wide gaps."""

    line: Line
    left: float
    top: float
    right: float
    bottom: float

    @property
    def height(self) -> float:
        """In points."""
        return self.bottom - self.top


def segments(glyphs: Glyphs) -> Iterator[Segment]:
    """The pieces of lines, in the order of the file."""
    start = 0
    for end in (*(at for at, letter in enumerate(glyphs.text) if letter in "\r\n"), len(glyphs.text)):
        yield from _pieces(glyphs, start, end)
        start = end + 1


def _pieces(glyphs: Glyphs, start: int, end: int) -> Iterator[Segment]:
    """Cuts a line where a wide gap, or a step back to the left, separates two characters that are no spaces."""
    piece: list[int] = []
    for at in range(start, end):
        if glyphs.text[at].isspace():
            if piece:
                piece.append(at)
            continue
        if piece:
            before = next(place for place in reversed(piece) if not glyphs.text[place].isspace())
            gap = glyphs.boxes[at, 0] - glyphs.boxes[before, 2]
            height = max(1.0, glyphs.boxes[before, 3] - glyphs.boxes[before, 1])
            if gap > _WIDE_GAP * height or gap < -2 * height:
                yield _segment(glyphs, piece)
                piece = []
        piece.append(at)
    if piece:
        yield _segment(glyphs, piece)


def _segment(glyphs: Glyphs, piece: list[int]) -> Segment:
    while glyphs.text[piece[-1]].isspace():
        piece = piece[:-1]
    boxes = glyphs.boxes[piece]
    ink = boxes[[not glyphs.text[at].isspace() for at in piece]]
    (left, top), (right, bottom) = ink[:, :2].min(axis=0), ink[:, 2:].max(axis=0)
    text = "".join(" " if glyphs.text[at].isspace() else glyphs.text[at] for at in piece)
    return Segment(Line(text, boxes), float(left), float(top), float(right), float(bottom))


def rows_of(pieces: list[Segment]) -> list[list[Segment]]:
    """Segments side by side, row by row from the top."""
    rows: list[list[Segment]] = []
    for segment in sorted(pieces, key=lambda each: (each.top + each.bottom) / 2):
        if rows and _overlap(rows[-1][-1], segment) >= _SAME_ROW:
            rows[-1].append(segment)
        else:
            rows.append([segment])
    return [sorted(row, key=lambda each: each.left) for row in rows]


def _overlap(one: Segment, other: Segment) -> float:
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    return shared / max(0.1, min(one.height, other.height))
