"""Characters on a page to lines, rows of cells and paragraphs, for pages of one column."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.doc_extract.page import Block, Cell, CharBoxes, Line, Paragraph, Table
from services.doc_extract.reading.drawn_rules import Rules, grids
from services.doc_extract.reading.grids import Field, Grid

_WIDE_GAP = 1.6
"""Heights of a character between two pieces of a row that are cells of their own."""
_SAME_ROW = 0.5
"""Share of the smaller height by which pieces of one row overlap."""
_LINE_GAP = 1.3
"""Heights of a line between two lines of one paragraph."""
_FULL = 2.5
"""Heights of a character that may be missing at the right of a line that goes on below."""
_BEGINS = re.compile(
    r"\s*(?:第[一二三四五六七八九十百\d]+[条章节款]|[一二三四五六七八九十]+[、.．]|\d+(?:\.\d+)*[、.．\s]|[（(][一二三四五六七八九十\d]+[)）]|[^，。；]{1,12}[：:])"
)
"""What begins a paragraph: an article, a number, a label with its colon."""


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
class _Segment:
    """A piece of a line without wide gaps."""

    line: Line
    left: float
    top: float
    right: float
    bottom: float

    @property
    def height(self) -> float:
        return self.bottom - self.top


def blocks(glyphs: Glyphs, rules: Rules, width: float, height: float) -> list[Block]:
    """What stands on an upright page, from its top to its bottom.

    Args:
        glyphs: Its characters.
        rules: (rules, 4): lines that it draws, on the upright page.
        width: In points.
        height: In points.
    """
    found: list[Block] = []
    left = glyphs
    for grid in grids(rules, width, height, _text_height(glyphs)):
        inside, outside = _parted(left, grid)
        if not any(inside):
            continue
        above, left = _cut(outside, grid.top)
        found += _free(above)
        found.append(
            Table([_ruled_cell(field, glyphs_in) for field, glyphs_in in zip(grid.fields, inside, strict=True)])
        )
    return [*found, *_free(left)]


def _text_height(glyphs: Glyphs) -> float:
    heights = glyphs.boxes[:, 3] - glyphs.boxes[:, 1]
    ink = heights[heights > 0]
    return float(np.median(ink)) if len(ink) else 12.0


def _parted(glyphs: Glyphs, grid: Grid) -> tuple[list[Glyphs], Glyphs]:
    """The characters of each cell of a table, and those of none."""
    x, y = (glyphs.boxes[:, 0] + glyphs.boxes[:, 2]) / 2, (glyphs.boxes[:, 1] + glyphs.boxes[:, 3]) / 2
    taken = np.zeros(len(glyphs.text), bool)
    cells = []
    for field in grid.fields:
        own = (field.left <= x) & (x <= field.right) & (field.top <= y) & (y <= field.bottom) & ~taken
        cells.append(glyphs.of(own))
        taken |= own
    return cells, glyphs.of(~taken)


def _cut(glyphs: Glyphs, top: float) -> tuple[Glyphs, Glyphs]:
    """The characters above a line across the page, and the others."""
    above = glyphs.boxes[:, 3] <= top + 1
    return glyphs.of(above), glyphs.of(~above)


def _ruled_cell(field: Field, glyphs: Glyphs) -> Cell:
    lines = [segment.line for row in _rows(list(_segments(glyphs))) for segment in row]
    return Cell(field.row, field.column, lines, field.row_span, field.column_span)


def _free(glyphs: Glyphs) -> list[Block]:
    """Paragraphs, and tables without rules."""
    rows = _rows(list(_segments(glyphs)))
    margin = max((row[-1].right for row in rows), default=0.0)
    found: list[Block] = []
    paragraph: list[_Segment] = []
    table: list[list[_Segment]] = []
    for row in rows:
        if len(row) > 1:
            _close_paragraph(found, paragraph)
            table.append(row)
            continue
        _close_table(found, table)
        if paragraph and not _goes_on(paragraph[-1], row[0], margin):
            _close_paragraph(found, paragraph)
        paragraph.append(row[0])
    _close_paragraph(found, paragraph)
    _close_table(found, table)
    return found


def _segments(glyphs: Glyphs) -> Iterator[_Segment]:
    start = 0
    for end in (*(at for at, letter in enumerate(glyphs.text) if letter in "\r\n"), len(glyphs.text)):
        yield from _pieces(glyphs, start, end)
        start = end + 1


def _pieces(glyphs: Glyphs, start: int, end: int) -> Iterator[_Segment]:
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


def _segment(glyphs: Glyphs, piece: list[int]) -> _Segment:
    while glyphs.text[piece[-1]].isspace():
        piece = piece[:-1]
    boxes = glyphs.boxes[piece]
    ink = boxes[[not glyphs.text[at].isspace() for at in piece]]
    (left, top), (right, bottom) = ink[:, :2].min(axis=0), ink[:, 2:].max(axis=0)
    text = "".join(" " if glyphs.text[at].isspace() else glyphs.text[at] for at in piece)
    return _Segment(Line(text, boxes), float(left), float(top), float(right), float(bottom))


def _rows(segments: list[_Segment]) -> list[list[_Segment]]:
    """Segments side by side, row by row from the top."""
    rows: list[list[_Segment]] = []
    for segment in sorted(segments, key=lambda each: (each.top + each.bottom) / 2):
        if rows and _overlap(rows[-1][-1], segment) >= _SAME_ROW:
            rows[-1].append(segment)
        else:
            rows.append([segment])
    return [sorted(row, key=lambda each: each.left) for row in rows]


def _overlap(one: _Segment, other: _Segment) -> float:
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    return shared / max(0.1, min(one.height, other.height))


def _goes_on(before: _Segment, after: _Segment, margin: float) -> bool:
    height = max(before.height, 1.0)
    full = before.right >= margin - _FULL * height
    near = after.top - before.bottom <= _LINE_GAP * height and after.left <= before.left + height
    alike = 0.7 <= after.height / height <= 1.4
    return full and near and alike and not _BEGINS.match(after.line.text)


def _close_paragraph(found: list[Block], lines: list[_Segment]) -> None:
    if lines:
        found.append(Paragraph([segment.line for segment in lines]))
        lines.clear()


def _close_table(found: list[Block], rows: list[list[_Segment]]) -> None:
    if rows:
        found.append(Table(list(_cells(rows))))
        rows.clear()


def _cells(rows: Sequence[Sequence[_Segment]]) -> Iterator[Cell]:
    for number, row in enumerate(rows):
        for column, segment in enumerate(row):
            yield Cell(number, column, [segment.line])
