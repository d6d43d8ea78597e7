"""Blocks out of pieces that were placed by hand: characters of 10 by 10 pixels."""

import numpy as np

from services.doc_extract.page import Line, Paragraph, Table
from services.doc_extract.reading.grids import Field, Grid
from services.doc_extract.reading.ocr.layout import blocks
from services.doc_extract.reading.ocr.pieces import Piece


def piece(text: str, left: float, top: float) -> Piece:
    lefts = left + 10.0 * np.arange(len(text), dtype=np.float32)
    tops = np.full(len(text), top, np.float32)
    boxes = np.stack([lefts, tops, lefts + 10, tops + 10], axis=1)
    return Piece(text, boxes, boxes, 1.0)


def read(pieces: list[Piece], grids: tuple[Grid, ...] = ()) -> list[Paragraph | Table]:
    return blocks(pieces, grids, lambda each: Line(each.text, each.places, each.confidence))


def text(block: Paragraph | Table) -> str:
    cells = [block.lines] if isinstance(block, Paragraph) else [cell.lines for cell in block.cells]
    return "|".join("".join(line.text for line in lines) for lines in cells)


def test_a_page_may_be_a_ruled_table_alone() -> None:
    fields = [Field(0, column, 1, 1, 100.0 * column, 0, 100.0 * (column + 1), 40) for column in range(2)]
    found = read([piece("借款人", 10, 10), piece("宏远公司", 110, 10)], (Grid(fields, 0, 0, 200, 40),))
    assert [text(each) for each in found] == ["借款人|宏远公司"]


def test_clauses_of_two_columns_are_not_read_across() -> None:
    left, right = "借款人应当，按期归还贷款", "贷款人有权，提前收回贷款"
    rows = [[piece(left, 0, 14.0 * row), piece(right, 200, 14.0 * row)] for row in range(10)]
    found = read([each for row in rows for each in row])
    assert "".join(map(text, found)) == left * 10 + right * 10


def test_a_sentence_keeps_its_blanks() -> None:
    first = [piece("借款期限为", 0, 0), piece("，即自", 100, 0), piece("年月日起至二〇〇一", 160, 0)]
    found = read([*first, piece("年五月二十七日止。", 0, 14)])
    assert [text(each) for each in found] == ["借款期限为，即自年月日起至二〇〇一年五月二十七日止。"]


def test_rows_of_cells_are_a_table() -> None:
    rows = [[piece("名称", 0, 14.0 * row), piece("金额", 100, 14.0 * row)] for row in range(3)]
    (table,) = read([each for row in rows for each in row])
    assert text(table) == "名称|金额|" * 2 + "名称|金额"
