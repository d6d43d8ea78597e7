"""Pages printed in two columns: which rows are read down one column before the other."""

from collections.abc import Iterator, Sequence
from typing import Protocol, TypeVar

_FEWEST = 8
"""Rows with text on both sides that make two columns; a form's signatures stand side by side in fewer."""
_LONG = 12.0
"""Heights of a line that the text of each side has at least: labels and their values are shorter."""
_ALIGNED = 2.0
"""Heights of a line by which the right sides may begin apart."""


class _Placed(Protocol):
    @property
    def left(self) -> float: ...
    @property
    def right(self) -> float: ...
    @property
    def height(self) -> float: ...


Piece = TypeVar("Piece", bound=_Placed)


def stretches(rows: Sequence[Sequence[Piece]]) -> Iterator[list[Sequence[Piece]]]:
    """Rows in the order in which they are read: those of two columns first down the left one, then the right one.

    Args:
        rows: Pieces side by side, each from left to right.
    """
    plain: list[Sequence[Piece]] = []
    place = 0
    while place < len(rows):
        end = _columns_end(rows, place)
        if end == place:
            plain.append(rows[place])
            place += 1
            continue
        if plain:
            yield plain
            plain = []
        gutter = min(row[1].left for row in rows[place:end] if len(row) == 2)
        for side in (True, False):
            pieces = [[each for each in row if (each.left < gutter) is side] for row in rows[place:end]]
            yield [piece for piece in pieces if piece]
        place = end
    if plain:
        yield plain


def _columns_end(rows: Sequence[Sequence[_Placed]], start: int) -> int:
    """Where two columns that begin with a row end; the row itself where none do."""
    if not _two_sided(rows[start]):
        return start
    first = rows[start][1]
    end = last = start
    both = 0
    while end < len(rows) and _fits(rows[end], first):
        if _two_sided(rows[end]):
            both, last = both + 1, end
        end += 1
    # What stands below the last row with two sides may be the rest of the longer column.
    rest = (
        end if all(row[0].left >= first.left - 1 or row[0].right < first.left for row in rows[last:end]) else last + 1
    )
    return rest if both >= _FEWEST else start


def _two_sided(row: Sequence[_Placed]) -> bool:
    return len(row) == 2 and all(each.right - each.left >= _LONG * each.height for each in row)


def _fits(row: Sequence[_Placed], right: _Placed) -> bool:
    """Whether a row has nothing across the gutter left of the right column."""
    if len(row) > 2 or any(each.left < right.left - 1 and each.right > right.left for each in row):
        return False
    return len(row) == 1 or abs(row[1].left - right.left) <= _ALIGNED * right.height
