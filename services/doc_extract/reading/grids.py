"""Ruled tables: cells out of the lines that are drawn around them."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.uint8]
"""(height, width): 1 where a rule is."""

_NARROW = 0.6
"""Smallest side of a cell. This and what follows: in heights of a line of text."""
_ALIKE = 0.5
"""Distance within which two edges are one."""


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

    def moved(self, right: float, down: float, scale: float = 1.0) -> "Field":
        """The same cell elsewhere: moved, then scaled."""
        edges = (self.left + right, self.top + down, self.right + right, self.bottom + down)
        return Field(self.row, self.column, self.row_span, self.column_span, *(edge * scale for edge in edges))


@dataclass(frozen=True, slots=True)
class Grid:
    """A ruled table: its cells in reading order, and its edges in pixels."""

    fields: Sequence[Field]
    left: float
    top: float
    right: float
    bottom: float


def cells_within(rules: Mask, unit: float) -> list[Field]:
    """The cells that rules enclose, row by row; none where they enclose fewer than two.

    Args:
        rules: Of one table.
        unit: Usual height of a line of text in pixels.
    """
    holes = _holes(rules, unit)
    return _fields(holes, _ALIKE * unit) if len(holes) > 1 else []


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
