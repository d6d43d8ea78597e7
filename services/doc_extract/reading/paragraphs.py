"""Whether a paragraph goes on in the next line, by where lines stand and how the next one begins."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

_LINE_GAP = 1.3
"""Heights of a line between two lines of one paragraph."""
_FULL = 2.5
"""Heights of a line that may be missing at the right of one that goes on below."""
_BEGINS = re.compile(
    r"\s*(?:第[一二三四五六七八九十百\d]+[条章节款]|[一二三四五六七八九十]+[、.．]|\d+(?:\.\d+)*[、.．\s]|[（(][一二三四五六七八九十\d]+[)）]|[^，。；]{1,12}[：:])"
)
"""What begins a paragraph: an article, a number, a label with its colon."""
_CLAUSE = re.compile(r"[，。；]|[,;.]\s")
"""What clauses end with."""


class _Placed(Protocol):
    """A piece of a line; its edges are in points or in pixels."""

    @property
    def top(self) -> float: ...
    @property
    def right(self) -> float: ...
    @property
    def bottom(self) -> float: ...
    @property
    def height(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Row:
    """What stands side by side, from left to right.

    Attributes:
        first: Its first piece.
        last: Its last piece.
        text: What all of it says.
        gaps: Whether there are wide gaps in it.
    """

    first: _Placed
    last: _Placed
    text: str
    gaps: bool

    @property
    def may_be_line(self) -> bool:
        """Whether it can be a line of a paragraph: with gaps only where it has the marks of a sentence."""
        return not self.gaps or bool(_CLAUSE.search(self.text))


def running(rows: Sequence[Row], margin: float) -> list[bool]:
    """Which rows with gaps are lines of a paragraph nevertheless: a blank to be filled in is no border of a cell.

    Such a row goes on from the line before or into the next one.

    Args:
        rows: From top to bottom.
        margin: Where full lines end.
    """
    flows = [
        before.may_be_line and after.may_be_line and goes_on(before.last, after.first, after.text, margin)
        for before, after in pairwise(rows)
    ]
    around = pairwise([False, *flows, False])  # one more than rows where there are none
    return [row.gaps and (into or onwards) for row, (into, onwards) in zip(rows, around, strict=False)]


def goes_on(before: _Placed, after: _Placed, text: str, margin: float) -> bool:
    """Whether a line goes on in the next one.

    Args:
        before: The line's last piece.
        after: The next line's first piece.
        text: What that says.
        margin: Where full lines end.
    """
    height = max(before.height, 1.0)
    full = before.right >= margin - _FULL * height
    near = after.top - before.bottom <= _LINE_GAP * height
    alike = 0.7 <= after.height / height <= 1.4
    return full and near and alike and not _BEGINS.match(text)
