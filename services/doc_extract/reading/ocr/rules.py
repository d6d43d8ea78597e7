"""Ruled tables of a page: cells out of the lines that are drawn around them."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from services.doc_extract.reading.ocr.picture import Picture

Mask = NDArray[np.uint8]

_LONG = 2.5
"""Shortest rule: longer than any stroke of a character. This and what follows: in heights of a line of text."""
_BROKEN = 0.5
"""Gap in a rule that is closed."""
_NARROW = 0.6
"""Smallest side of a cell."""
_ALIKE = 0.5
"""Distance within which two edges are one."""
_WHOLE = 0.9
"""Share of a table's width that its upper and lower rule cover where its sides are open."""


@dataclass(frozen=True, slots=True)
class Field:
    """One cell's place in its table and on the page, in pixels."""

    row: int
    column: int
    row_span: int
    column_span: int
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Grid:
    """A ruled table: its cells in reading order, and its edges in pixels."""

    fields: Sequence[Field]
    left: float
    top: float
    right: float
    bottom: float


def grids(picture: Picture, text_height: float) -> list[Grid]:
    """The ruled tables of a level page, from top to bottom.

    Args:
        picture: The page.
        text_height: Usual height of a line of text in pixels.
    """
    unit = max(8.0, text_height)
    across, down = _rules(picture, unit)
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(across | down)
    found = []
    for label in range(1, count):
        left, top, width, height = (int(side) for side in boxes[label][:4])
        if width < 2 * _LONG * unit or height < _LONG * unit / 2:
            continue
        window = slice(top, top + height), slice(left, left + width)
        own = (labels[window] == label).astype(np.uint8)
        holes = _holes(_closed(own, across[window] & own), unit) + np.array([left, top, left, top])
        if len(holes) > 1:
            fields = _fields(holes, _ALIKE * unit)
            found.append(Grid(fields, left, top, left + width, top + height))
    return sorted(found, key=lambda grid: grid.top)


def _rules(picture: Picture, unit: float) -> tuple[Mask, Mask]:
    """Pixels of horizontal and of vertical rules, long enough to meet at their corners."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    around = 2 * int(unit) + 1
    ink = cv2.adaptiveThreshold(grey, 1, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, around, 12)
    long, gap = int(_LONG * unit), int(_BROKEN * unit)
    found = []
    for axis in (0, 1):
        # Three pixels of width carry a rule that slopes a little through the test for its length.
        thick = cv2.dilate(ink, _bar(3, 1 - axis))
        closed = cv2.morphologyEx(thick, cv2.MORPH_CLOSE, _bar(max(3, gap // 3), axis))
        rule = cv2.morphologyEx(closed, cv2.MORPH_OPEN, _bar(long, axis))
        found.append(np.asarray(cv2.dilate(rule, _bar(gap, axis)), np.uint8))
    return found[0], found[1]


def _bar(length: int, axis: int) -> Mask:
    """A line of pixels: along a row for axis 0, along a column for axis 1."""
    return np.ones((1, length) if axis == 0 else (length, 1), np.uint8)


def _closed(own: Mask, across: Mask) -> Mask:
    """A table's rules, with its sides drawn where only rules above and below bound it."""
    rows = np.flatnonzero(across.mean(axis=1) >= _WHOLE)
    if len(rows) and rows[-1] - rows[0] > 0.8 * len(own):
        own = own.copy()
        own[rows[0] : rows[-1], [0, -1]] = 1
    return own


def _holes(rules: Mask, unit: float) -> NDArray[np.float64]:
    """(holes, 4): left, top, right, bottom of what rules enclose."""
    around = cv2.copyMakeBorder(1 - rules, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=(1,))
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(around, connectivity=4)
    outside = labels[0, 0]
    kept = [
        (left - 1, top - 1, left - 1 + width, top - 1 + height)
        for label, (left, top, width, height, _) in enumerate(boxes)
        if label not in (0, outside) and min(width, height) >= _NARROW * unit
    ]
    return np.array(kept, np.float64).reshape(-1, 4)


def _fields(holes: NDArray[np.float64], tolerance: float) -> list[Field]:
    """Holes as cells of a grid, row by row."""
    columns, rows = _starts(holes[:, 0], tolerance), _starts(holes[:, 1], tolerance)
    fields = []
    for left, top, right, bottom in holes:
        row, column = _place(rows, top, tolerance), _place(columns, left, tolerance)
        # A cell reaches over every row and column that begins before it ends.
        row_span = max(1, _place(rows, bottom - 2 * tolerance, tolerance) - row + 1)
        column_span = max(1, _place(columns, right - 2 * tolerance, tolerance) - column + 1)
        fields.append(Field(row, column, row_span, column_span, left, top, right, bottom))
    return sorted(fields, key=lambda field: (field.row, field.column))


def _starts(edges: NDArray[np.float64], tolerance: float) -> NDArray[np.float64]:
    """Where rows or columns begin: edges, those within the tolerance of one before it left out."""
    ordered = np.sort(edges)
    starts = [ordered[0]]
    for edge in ordered[1:]:
        if edge - starts[-1] > tolerance:
            starts.append(edge)
    return np.array(starts)


def _place(starts: NDArray[np.float64], edge: float, tolerance: float) -> int:
    """Which row or column an edge lies in."""
    return max(0, int(np.searchsorted(starts, edge + tolerance, side="right")) - 1)
