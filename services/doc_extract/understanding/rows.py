"""Lines of a document's text, and which of them are rows of a table below a header."""

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from services.doc_extract.text import BREAK, CELL

_UNIT = re.compile(r"(?:金额|货币)?单位[：:]?[ \u3000]*(?P<unit>人民币[百千]?[万亿]?元|[百千]?[万亿]?元|万?美元)")
_BEFORE = 16
_ABOVE = 40
"""Characters above a table's header in which its unit may be told."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line.

    Attributes:
        start: Where it begins.
        end: Where its text ends.
        cells: Start and end of each of its cells.
        header: What stands above each cell; empty where it is no row below a header.
        unit: What the table says of all its amounts, such as 万元; may be empty.
    """

    start: int
    end: int
    cells: Sequence[tuple[int, int]]
    header: Sequence[str] = ()
    unit: str = ""


def rows(text: str, labels: Collection[str]) -> Iterator[Row]:
    """The lines of a text that are not empty.

    Args:
        text: The text.
        labels: What fields are called in print, to know a header by.
    """
    header: list[str] = []
    unit = ""
    lines = list(_lines(text))
    for place, (start, end) in enumerate(lines):
        cells = _cells(text, start, end)
        if header and len(cells) == len(header):
            yield Row(start, end, cells, header, unit)
            continue
        header = []
        if place + 1 < len(lines) and _is_header(text, cells, _cells(text, *lines[place + 1]), labels):
            header = [text[left:right] for left, right in cells]
            told = _UNIT.search(text, max(0, start - _ABOVE), start)
            unit = told["unit"] if told else ""
        yield Row(start, end, cells)


class Surroundings:
    """What stands before a value and may name its unit or period: words, or the head of its column.

    Args:
        text: The text.
        labels: What fields are called in print, to know a header by.
    """

    def __init__(self, text: str, labels: Collection[str]) -> None:
        self._text = text
        cells = [(cell[0], f"{row.unit}{name}") for row in rows(text, labels) for name, cell in _headed(row)]
        self._starts = [start for start, _ in cells]
        self._heads = [head for _, head in cells]

    def before(self, start: int) -> str:
        """What stands before the place where a value begins."""
        place = bisect_right(self._starts, start) - 1
        if place >= 0:
            between = self._text[self._starts[place] : start]
            if CELL not in between and BREAK not in between:
                return self._heads[place] + between
        return self._text[max(0, start - _BEFORE) : start]


def _headed(row: Row) -> Iterator[tuple[str, tuple[int, int]]]:
    return zip(row.header, row.cells, strict=False)


def _lines(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    while start < len(text):
        end = text.find(BREAK, start)
        end = len(text) if end < 0 else end
        if end > start:
            yield start, end
        start = end + 1


def _cells(text: str, start: int, end: int) -> list[tuple[int, int]]:
    cells = []
    for part in text[start:end].split(CELL):
        cells.append((start, start + len(part)))
        start += len(part) + 1
    return cells


def _is_header(text: str, cells: list[tuple[int, int]], below: list[tuple[int, int]], labels: Collection[str]) -> bool:
    """Whether a row names what stands in the rows below it, and is no row of label, value, label, value."""
    if len(cells) < 2 or len(below) != len(cells):
        return False
    known = sum(_label(text[left:right]) in labels for left, right in cells)
    return (
        known >= 2 and 2 * known >= len(cells) and not any(_label(text[left:right]) in labels for left, right in below)
    )


def _label(cell: str) -> str:
    """What a cell says without spaces, units in brackets and colons."""
    return re.sub(r"\s|[（(].*?[)）]|[:：*]", "", cell)
