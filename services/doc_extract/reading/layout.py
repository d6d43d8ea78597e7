"""What stands on a page, block by block: paragraphs, ruled tables, and rows of cells without rules."""

from collections.abc import Iterator, Sequence

import numpy as np

from services.doc_extract.page import Block, Cell, Paragraph, Table
from services.doc_extract.reading.columns import stretches
from services.doc_extract.reading.drawn_rules import Rules, grids
from services.doc_extract.reading.grids import Field, Grid
from services.doc_extract.reading.paragraphs import Row, goes_on, running
from services.doc_extract.reading.segments import Glyphs, Segment, rows_of, segments


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
    lines = [segment.line for row in rows_of(list(segments(glyphs))) for segment in row]
    return Cell(field.row, field.column, lines, field.row_span, field.column_span)


def _free(glyphs: Glyphs) -> list[Block]:
    """Paragraphs, and tables without rules, column by column."""
    return [block for stretch in stretches(rows_of(list(segments(glyphs)))) for block in _stretch(stretch)]


def _stretch(rows: Sequence[Sequence[Segment]]) -> list[Block]:
    margin = max((row[-1].right for row in rows), default=0.0)
    lines = running(
        [Row(row[0], row[-1], " ".join(each.line.text for each in row), len(row) > 1) for row in rows], margin
    )
    found: list[Block] = []
    paragraph: list[Segment] = []
    table: list[Sequence[Segment]] = []
    for row, is_line in zip(rows, lines, strict=True):
        if len(row) > 1 and not is_line:
            _close_paragraph(found, paragraph)
            table.append(row)
            continue
        _close_table(found, table)
        if paragraph and not _goes_on(paragraph[-1], row[0], margin):
            _close_paragraph(found, paragraph)
        paragraph.extend(row)
    _close_paragraph(found, paragraph)
    _close_table(found, table)
    return found


def _goes_on(before: Segment, after: Segment, margin: float) -> bool:
    aligned = after.left <= before.left + max(before.height, 1.0)
    return aligned and goes_on(before, after, after.line.text, margin)


def _close_paragraph(found: list[Block], lines: list[Segment]) -> None:
    if lines:
        found.append(Paragraph([segment.line for segment in lines]))
        lines.clear()


def _close_table(found: list[Block], rows: list[Sequence[Segment]]) -> None:
    if rows:
        found.append(Table(list(_cells(rows))))
        rows.clear()


def _cells(rows: Sequence[Sequence[Segment]]) -> Iterator[Cell]:
    for number, row in enumerate(rows):
        for column, segment in enumerate(row):
            yield Cell(number, column, [segment.line])
