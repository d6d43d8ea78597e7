"""The pages of a document as one string, with the way back from any span of it to its places on the pages."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, zip_longest

import numpy as np
from numpy.typing import NDArray

from services.doc_extract.page import Box, CharBoxes, Line, Page, Paragraph, Table
from services.doc_extract.page_breaks import runs_on

CELL = "\t"
"""Stands between two cells of a row."""
BREAK = "\n"
"""Stands between paragraphs and between the rows of a table."""
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class Region:
    """Where a span of text stands on one page.

    Attributes:
        page: Number of the page, from 1.
        boxes: One for each line that the span touches; empty where the format has no places.
    """

    page: int
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class DocumentText:
    """A document's text.

    Attributes:
        text: All of it. Wrapped lines are joined, cells end with CELL, paragraphs and rows with BREAK.
        pages: For each character the number of its page.
        lines: For each character which line it belongs to; -1 for separators.
        boxes: For each character its box; NaN for separators and where there are no places.
        confidence: For each character how sure its reading is.
    """

    text: str
    pages: NDArray[np.int32]
    lines: NDArray[np.int32]
    boxes: CharBoxes
    confidence: NDArray[np.float32]

    @classmethod
    def plain(cls, text: str) -> "DocumentText":
        """Text without places, all on page 1."""
        size = len(text)
        return cls(
            text,
            np.ones(size, np.int32),
            np.zeros(size, np.int32),
            np.full((size, 4), np.nan, np.float32),
            np.ones(size, np.float32),
        )

    @classmethod
    def of(cls, pages: Sequence[Page]) -> "DocumentText":
        """Joins what stands on the pages."""
        pieces: list[_Piece] = []
        for page, after in zip_longest(pages, pages[1:]):
            pieces += _pieces(page)
            if after is not None and runs_on(page, after):
                pieces.pop()
        numbers = [-1 if piece.line is None else number for number, piece in enumerate(pieces)]
        sizes = [len(piece.text) for piece in pieces]
        empty = np.empty((0, 4), np.float32)
        return cls(
            "".join(piece.text for piece in pieces),
            np.repeat(np.array([piece.page for piece in pieces], np.int32), sizes),
            np.repeat(np.array(numbers, np.int32), sizes),
            np.concatenate([empty, *(piece.boxes for piece in pieces)]),
            np.repeat(np.array([piece.confidence for piece in pieces], np.float32), sizes),
        )

    def regions(self, start: int, end: int) -> tuple[Region, ...]:
        """Where the characters from start up to, not including, end stand; page by page, line by line."""
        regions = []
        for page, places in groupby(range(start, end), key=lambda place: int(self.pages[place])):
            boxes = [
                _around(self.boxes[list(group)])
                for line, group in groupby(places, key=lambda place: int(self.lines[place]))
                if line >= 0
            ]
            regions.append(Region(page, tuple(box for box in boxes if box is not None)))
        return tuple(regions)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A line, or a separator, on its way into the text."""

    text: str
    page: int
    line: Line | None = None

    @property
    def boxes(self) -> CharBoxes:
        if self.line is None:
            return np.full((len(self.text), 4), np.nan, np.float32)
        return self.line.boxes

    @property
    def confidence(self) -> float:
        return 1.0 if self.line is None else self.line.confidence


def _pieces(page: Page) -> Iterator[_Piece]:
    for block in page.blocks:
        if isinstance(block, Paragraph):
            yield from _joined(block.lines, page.number)
            yield _Piece(BREAK, page.number)
        else:
            yield from _rows(block, page.number)


def _rows(table: Table, page: int) -> Iterator[_Piece]:
    for _, row in groupby(table.cells, key=lambda cell: cell.row):
        for place, cell in enumerate(row):
            if place:
                yield _Piece(CELL, page)
            yield from _joined(cell.lines, page)
        yield _Piece(BREAK, page)


def _joined(lines: Sequence[Line], page: int) -> Iterator[_Piece]:
    """Lines one after the other; with a space between where words of letters would run into each other."""
    before = ""
    for line in lines:
        if before and _parts_words(before, line.text):
            yield _Piece(" ", page)
        yield _Piece(line.text, page, line)
        before = line.text


def _parts_words(before: str, after: str) -> bool:
    """Whether the end of a line parts two words. Chinese is wrapped anywhere, in the middle of a number, too."""
    last, first = before[-1], after[0]
    if not (last.isascii() and first.isascii()) or {last, first} & {" ", "-"}:
        return False
    return not (last.isdigit() and first.isdigit() and _CHINESE.search(before))


def _around(boxes: CharBoxes) -> Box | None:
    """The box around boxes, or None where they have no place."""
    placed = boxes[~np.isnan(boxes[:, 0])]
    if not len(placed):
        return None
    left, top = placed[:, :2].min(axis=0)
    right, bottom = placed[:, 2:].max(axis=0)
    return Box(float(left), float(top), float(right), float(bottom))
