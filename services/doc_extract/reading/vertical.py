"""Pages written from top to bottom, column by column from the right (竖排)."""

from dataclasses import replace

import numpy as np

from services.doc_extract.page import Block, CharBoxes, Line, Paragraph, Table
from services.doc_extract.reading.segments import Glyphs

_FEWEST = 20
"""Steps from character to character that tell; labels of a form's cells stand upright in fewer."""
_MOST = 0.7
"""Share of the steps that lead downwards on such a page."""


def is_vertical(glyphs: Glyphs) -> bool:
    """Whether most of a page is written from top to bottom."""
    ink = glyphs.boxes[[not letter.isspace() for letter in glyphs.text]]
    if len(ink) <= _FEWEST:
        return False
    middles = (ink[:, :2] + ink[:, 2:]) / 2
    across, down = np.diff(middles, axis=0).T
    size = np.maximum(1.0, (ink[:, 3] - ink[:, 1])[:-1])
    below = (np.abs(across) < 0.5 * size) & (down > 0.5 * size) & (down < 2 * size)
    beside = (np.abs(down) < 0.5 * size) & (across > 0) & (across < 2 * size)
    return bool(below.sum() >= _FEWEST and below.sum() > _MOST * (below.sum() + beside.sum()))


def laid(boxes: CharBoxes, width: float) -> CharBoxes:
    """Boxes of the page turned by a quarter to the left: its columns are rows now, the right one on top.

    Args:
        boxes: On the page as it is.
        width: Of the page, in points.
    """
    left, top, right, bottom = boxes.T
    return np.stack([top, width - right, bottom, width - left], axis=1)


def stood(block: Block, width: float) -> Block:
    """A block of the page that `laid` turned, with its places on the page as it is."""
    if isinstance(block, Paragraph):
        return Paragraph([_stood(line, width) for line in block.lines])
    return Table([replace(cell, lines=[_stood(line, width) for line in cell.lines]) for cell in block.cells])


def _stood(line: Line, width: float) -> Line:
    left, top, right, bottom = line.boxes.T
    return replace(line, boxes=np.stack([width - bottom, left, width - top, right], axis=1))
