"""Lines of a page on their way into blocks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from services.doc_extract.page import CharBoxes
from services.doc_extract.reading.ocr.ctc import Reading
from services.doc_extract.reading.ocr.detection import Quads
from services.doc_extract.reading.ocr.levelling import Homography, mapped

_SAME_ROW = 0.5
"""Share of the smaller height by which pieces of one row overlap."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Text that was read in one go, or a part of it.

    Attributes:
        text: Its characters.
        boxes: A box for each in pixels of the level page.
        places: A box for each in pixels of the upright page.
        confidence: How sure the reading is.
    """

    text: str
    boxes: CharBoxes
    places: CharBoxes
    confidence: float

    @classmethod
    def of(cls, quad: NDArray[np.float32], reading: Reading, there: Homography) -> Self:
        """What was read in a quadrilateral, (4, 2), of the upright page.

        Args:
            quad: Where it was read; the text begins at its first corner.
            reading: What was read.
            there: Takes a point of the upright page to the level one.
        """
        upper_left, upper_right, lower_right, lower_left = quad
        shares = np.concatenate([reading.edges, reading.edges[:, ::-1]], axis=1)[:, :, None]
        upper, lower = (
            start + (end - start) * shares for start, end in ((upper_left, upper_right), (lower_left, lower_right))
        )
        corners = np.concatenate([upper[:, :2], lower[:, 2:]], axis=1)
        return cls(reading.text, _around(mapped(corners, there)), _around(corners), reading.confidence)

    @property
    def left(self) -> float:
        """Pixels from the left."""
        return float(self.boxes[:, 0].min())

    @property
    def top(self) -> float:
        """Pixels from the top."""
        return float(self.boxes[:, 1].min())

    @property
    def right(self) -> float:
        """Pixels from the left."""
        return float(self.boxes[:, 2].max())

    @property
    def bottom(self) -> float:
        """Pixels from the top."""
        return float(self.boxes[:, 3].max())

    @property
    def height(self) -> float:
        """In pixels."""
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        """Pixels from the top to its middle."""
        return (self.top + self.bottom) / 2

    def part(self, start: int, end: int) -> "Piece | None":
        """Its characters from start up to end without spaces around them; None where nothing else is there."""
        while start < end and self.text[start].isspace():
            start += 1
        while start < end and self.text[end - 1].isspace():
            end -= 1
        if start == end:
            return None
        return Piece(self.text[start:end], self.boxes[start:end], self.places[start:end], self.confidence)


def _around(quads: Quads) -> CharBoxes:
    """Level rectangles around quadrilaterals."""
    boxes: CharBoxes = np.concatenate([quads.min(axis=1), quads.max(axis=1)], axis=1)
    return boxes


def rows(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Pieces side by side, row by row from the top, each from left to right."""
    found: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda each: each.middle):
        if found and any(_level(other, piece) for other in found[-1]):
            found[-1].append(piece)
        else:
            found.append([piece])
    return [sorted(row, key=lambda each: each.left) for row in found]


def _level(one: Piece, other: Piece) -> bool:
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    return shared >= _SAME_ROW * min(one.height, other.height)
