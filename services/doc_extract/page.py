"""A document as it was read: pages, what stands on them, and where.

Every reader (PDF, DOCX, text, OCR) produces these; everything after reading knows nothing else of the file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

CharBoxes = NDArray[np.float32]
"""(characters, 4): left, top, right, bottom of each character in points; NaN where the format has no places."""


class Source(StrEnum):
    """How the text of a page was read."""

    DIGITAL = "digital"
    OCR = "ocr"


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page as it is read upright, in points (1/72 inch) from its upper left corner."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text.

    Attributes:
        text: Its characters; never empty, without line breaks.
        boxes: A box for each of them.
        confidence: How sure the reading is, 0 to 1; 1 where the file itself says what the characters are.
    """

    text: str
    boxes: CharBoxes
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Lines that are read on from one to the next, as wrapped text is."""

    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table; row and column count from 0."""

    row: int
    column: int
    lines: Sequence[Line]
    row_span: int = 1
    column_span: int = 1


@dataclass(frozen=True, slots=True)
class Table:
    """Cells in the order of reading, empty ones included."""

    cells: Sequence[Cell]


Block = Paragraph | Table


@dataclass(frozen=True, slots=True)
class Page:
    """One page, upright.

    Attributes:
        number: From 1.
        width: In points; 0 where the format has no pages.
        height: In points; 0 where the format has no pages.
        blocks: What stands on it, in the order of reading.
        source: How it was read.
        rotation: Degrees, clockwise, by which the file's page was turned to be upright: 0, 90, 180 or 270.
    """

    number: int
    width: float
    height: float
    blocks: Sequence[Block]
    source: Source = Source.DIGITAL
    rotation: int = 0


@dataclass(frozen=True, slots=True)
class Scan:
    """A page that is a picture, or whose text layer cannot be trusted: what stands on it is yet to be recognised.

    Attributes:
        number: From 1.
    """

    number: int


@dataclass(frozen=True, slots=True)
class PageImage:
    """What such a page looks like.

    Attributes:
        pixels: (height, width, 3): red, green, blue.
        dpi: Pixels to the inch.
    """

    pixels: NDArray[np.uint8]
    dpi: float
