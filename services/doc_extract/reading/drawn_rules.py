"""Ruled tables of a PDF's page, out of the lines and rectangles that it draws."""

import ctypes
from collections.abc import Iterator

import cv2
import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from numpy.typing import NDArray

from services.doc_extract.reading.grids import Grid, cells_within

_SCALE = 2.0
"""Pixels to the point of the picture in which rules are put together."""
_STRAIGHT = 1.0
"""Points by which a rule may be out of true."""
_SHORTEST = 6.0
"""Points of a rule at least; shorter ones are parts of letters and ticks."""
_MOST = 20_000
"""Rules of a page that are looked at: a drawing has more, a form never."""
_LONGEST = 3_000.0
"""Points of a page's side; posters have no forms."""

Rules = NDArray[np.float32]
"""(rules, 4): x0, y0, x1, y1 in PDF's user space."""


def drawn_rules(page: pdfium.PdfPage) -> Rules:
    """The horizontal and vertical lines that a page draws, sides of rectangles among them."""
    found: list[tuple[float, float, float, float]] = []
    for shape in page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_PATH], max_depth=1):
        for rule in _straight(shape):
            found.append(rule)
            if len(found) > _MOST:
                return np.empty((0, 4), np.float32)
    return np.array(found, np.float32).reshape(-1, 4)


def grids(rules: Rules, width: float, height: float, text_height: float) -> list[Grid]:
    """The ruled tables of an upright page, in points from its upper left corner, from top to bottom.

    Args:
        rules: (rules, 4): left, top, right, bottom on the upright page.
        width: Of the page in points.
        height: Of the page in points.
        text_height: Usual height of a line of text in points.
    """
    if len(rules) < 4 or max(width, height) > _LONGEST:
        return []
    canvas = np.zeros((round(height * _SCALE) + 1, round(width * _SCALE) + 1), np.uint8)
    for left, top, right, bottom in np.rint(rules * _SCALE).astype(int).tolist():
        cv2.line(canvas, (left, top), (right, bottom), (1,), thickness=2)
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(canvas)
    found = []
    for label in range(1, count):
        left, top, across, down = (int(side) for side in boxes[label][:4])
        window = slice(top, top + down), slice(left, left + across)
        own = (labels[window] == label).astype(np.uint8)
        fields = [field.moved(left, top, 1 / _SCALE) for field in cells_within(own, text_height * _SCALE)]
        if fields:
            found.append(Grid(fields, *(side / _SCALE for side in (left, top, left + across, top + down))))
    return sorted(found, key=lambda grid: grid.top)


def _straight(shape: pdfium.PdfObject) -> Iterator[tuple[float, float, float, float]]:
    """The level and upright lines of a path; a thin filled rectangle gives its two sides."""
    matrix = shape.get_matrix()
    x, y = ctypes.c_float(), ctypes.c_float()
    before: tuple[float, float] | None = None
    first: tuple[float, float] | None = None
    for number in range(min(_MOST, pdfium_c.FPDFPath_CountSegments(shape))):
        segment = pdfium_c.FPDFPath_GetPathSegment(shape, number)
        pdfium_c.FPDFPathSegment_GetPoint(segment, x, y)
        here = matrix.on_point(x.value, y.value)
        kind = pdfium_c.FPDFPathSegment_GetType(segment)
        if kind == pdfium_c.FPDF_SEGMENT_MOVETO:
            first = here
        elif before is not None and kind == pdfium_c.FPDF_SEGMENT_LINETO and _is_rule(before, here):
            yield *before, *here
        if pdfium_c.FPDFPathSegment_GetClose(segment) and first is not None and _is_rule(here, first):
            yield *here, *first
        before = here


def _is_rule(one: tuple[float, float], other: tuple[float, float]) -> bool:
    across, down = abs(one[0] - other[0]), abs(one[1] - other[1])
    return min(across, down) <= _STRAIGHT and max(across, down) >= _SHORTEST
