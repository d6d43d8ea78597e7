"""Ruled tables on pictures of pages."""

import cv2
import numpy as np

from services.doc_extract.reading.grids import Grid, Mask, cells_within
from services.doc_extract.reading.ocr.picture import Picture

_LONG = 2.5
"""Shortest rule: longer than any stroke of a character. This and what follows: in heights of a line of text."""
_BROKEN = 0.5
"""Gap in a rule that is closed."""
_WHOLE = 0.9
"""Share of a table's width that its upper and lower rule cover where its sides are open."""


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
        fields = [field.moved(left, top) for field in cells_within(_closed(own, across[window] & own), unit)]
        if fields:
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
