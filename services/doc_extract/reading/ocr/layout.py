"""Lines of a scanned page to paragraphs and tables in the order of reading."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np

from services.doc_extract.page import Block, Cell, Line, Paragraph, Table
from services.doc_extract.reading.columns import stretches
from services.doc_extract.reading.grids import Field, Grid
from services.doc_extract.reading.ocr.pieces import Piece, rows
from services.doc_extract.reading.paragraphs import Row, goes_on, running

Finish = Callable[[Piece], Line]
"""Turns a piece into a line of the page."""

_WIDE_GAP = 1.6
"""Heights of a line between two pieces of a row that are cells of their own."""


@dataclass(frozen=True, slots=True)
class _Part:
    """Pieces of a row with little between them."""

    pieces: Sequence[Piece]

    @property
    def left(self) -> float:
        return self.pieces[0].left

    @property
    def right(self) -> float:
        return self.pieces[-1].right

    @property
    def centre(self) -> float:
        return (self.left + self.right) / 2

    @property
    def height(self) -> float:
        return max(piece.height for piece in self.pieces)


def blocks(pieces: Sequence[Piece], grids: Sequence[Grid], finish: Finish) -> list[Block]:
    """What stands on a page, from its top to its bottom.

    Args:
        pieces: All that was read on it.
        grids: Its ruled tables from top to bottom.
        finish: Turns a piece into a line of the page.
    """
    free = list(pieces)
    tables = []
    for grid in grids:
        cells, free = _filled(grid, free)
        tables.append(Table([_cell(field, inside, finish) for field, inside in cells]))
    found: list[Block] = []
    for number, table in enumerate(tables):
        above = [piece for piece in free if piece.middle < grids[number].top]
        free = [piece for piece in free if piece.middle >= grids[number].top]
        found += [*_loose(above, finish), table]
    return found + list(_loose(free, finish))


def _filled(grid: Grid, pieces: Iterable[Piece]) -> tuple[list[tuple[Field, list[Piece]]], list[Piece]]:
    """A table's cells with what stands in them, and what stands outside it. A line across a rule is cut there."""
    inside: list[list[Piece]] = [[] for _ in grid.fields]
    outside: list[Piece] = []
    for piece in pieces:
        places = _fields_of(grid, piece)
        start = 0
        for field, group in groupby(places):
            end = start + len(list(group))
            part = piece.part(start, end)
            start = end
            if part is not None:
                (outside if field < 0 else inside[field]).append(part)
    return list(zip(grid.fields, inside, strict=True)), outside


def _fields_of(grid: Grid, piece: Piece) -> list[int]:
    """For each character the place of its cell in the grid, -1 outside. One on a rule belongs to the one before it."""
    edges = np.array([[field.left, field.top, field.right, field.bottom] for field in grid.fields])
    found: list[int] = []
    for left, top, right, bottom in piece.boxes:
        x, y = (left + right) / 2, (top + bottom) / 2
        holding = (edges[:, 0] <= x) & (x <= edges[:, 2]) & (edges[:, 1] <= y) & (y <= edges[:, 3])
        if holding.any():
            found.append(int(np.argmax(holding)))
        else:
            within = grid.left <= x <= grid.right and grid.top <= y <= grid.bottom
            found.append(found[-1] if found and within else -1)
    return found


def _cell(field: Field, pieces: Sequence[Piece], finish: Finish) -> Cell:
    lines = [finish(piece) for row in rows(pieces) for piece in row]
    return Cell(field.row, field.column, lines, field.row_span, field.column_span)


def _loose(pieces: Sequence[Piece], finish: Finish) -> Iterator[Block]:
    """Paragraphs, and tables that only their columns show, of what stands outside ruled tables, column by column."""
    for stretch in stretches([_parts(row) for row in rows(pieces)]):
        margin = max(part.right for row in stretch for part in row)
        for several, run in groupby(_joined(stretch, margin), key=lambda row: len(row) > 1):
            if several:
                yield _table(list(run), finish)
            else:
                for lines in _paragraphs([row[0] for row in run], margin):
                    yield Paragraph([finish(piece) for line in lines for piece in line.pieces])


def _joined(stretch: Sequence[Sequence[_Part]], margin: float) -> list[Sequence[_Part]]:
    """Its rows, those that are lines of a paragraph in one part."""
    whole = [_Part([piece for part in row for piece in part.pieces]) for row in stretch]
    lines = running(
        [
            Row(each.pieces[0], each.pieces[-1], " ".join(piece.text for piece in each.pieces), len(row) > 1)
            for row, each in zip(stretch, whole, strict=True)
        ],
        margin,
    )
    return [[each] if is_line else row for row, each, is_line in zip(stretch, whole, lines, strict=True)]


def _parts(row: Sequence[Piece]) -> list[_Part]:
    """A row's pieces, those with little between them together."""
    parts = [[row[0]]]
    for before, piece in pairwise(row):
        if piece.left - before.right > _WIDE_GAP * min(before.height, piece.height):
            parts.append([piece])
        else:
            parts[-1].append(piece)
    return [_Part(part) for part in parts]


def _table(table: Sequence[Sequence[_Part]], finish: Finish) -> Table:
    """Rows of parts as a table; the row with most of them says where its columns are."""
    widest = max(table, key=len)
    centres = np.array([part.centre for part in widest])
    cells: list[Cell] = []
    for number, row in enumerate(table):
        taken = -1
        for place, part in enumerate(row):
            nearest = int(np.argmin(np.abs(centres - part.centre)))
            # Columns keep their order and leave room for the parts to come.
            column = min(max(nearest, taken + 1), len(centres) - len(row) + place)
            cells += [Cell(number, gap, ()) for gap in range(taken + 1, column)]
            cells.append(Cell(number, column, [finish(piece) for piece in part.pieces]))
            taken = column
        cells += [Cell(number, gap, ()) for gap in range(taken + 1, len(centres))]
    return Table(cells)


def _paragraphs(lines: Sequence[_Part], margin: float) -> list[list[_Part]]:
    found: list[list[_Part]] = []
    for line in lines:
        if found and goes_on(found[-1][-1].pieces[-1], line.pieces[0], line.pieces[0].text, margin):
            found[-1].append(line)
        else:
            found.append([line])
    return found
