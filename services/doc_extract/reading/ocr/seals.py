"""Text under seals: taking the seal's ink off a page and leaving what is printed below it.

Red ink is as bright as paper in the red channel, and grey ink of a copied seal is brighter than print; what is darker
than the seal is print. Only the ink of something of a seal's size and shape is touched: red figures, red headings,
shaded cells and faded print stay as they are.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from services.doc_extract.reading.ocr.picture import Picture

Mask = NDArray[np.uint8]
"""(height, width): 1 where something is."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a seal looks like.

    Attributes:
        smallest: Inches of its shorter side at least.
        slimmest: Its shorter side by its longer one at least.
        gap: Inches between its parts at most; print crosses the ring of a seal.
    """

    smallest: float
    slimmest: float
    gap: float


_REDNESS = 35
"""By how much red must exceed green and blue."""
_GREY = (0.35, 0.85)
"""Grey ink as shares of the paper's brightness: darker is print, brighter is paper or shading."""
_COLOURED = 25
"""By how much the channels of grey ink may differ."""
_LARGEST = 3.0
"""Inches of a seal's longer side. What else makes a seal depends on its colour: grey must leave no doubt, because faded
print is grey too, but has no strokes as broad as a seal's ring."""
_RED = Shape(smallest=0.4, slimmest=0.4, gap=0.09)
_GREY_SEAL = Shape(smallest=0.8, slimmest=0.7, gap=0.25)
_BROAD = 0.03
"""Inches of a seal's ring at least."""
_PAPER = 0.1
"""Inches of a patch of paper whose brightness is taken."""
_COARSE = 4
"""Full pixels to a pixel of the picture in which seals are looked for."""
_FAINTEST = 0.0005
"""Share of the page that ink of a seal covers at least."""


def without_seals(picture: Picture, dpi: float) -> Picture:
    """The page with the ink of seals taken off; the picture itself where there is no seal.

    Args:
        picture: The page.
        dpi: Its pixels to the inch.
    """
    red, green, blue = cv2.split(picture)
    most, least = cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue)
    reddish = np.asarray(cv2.subtract(red, cv2.max(green, blue)) > _REDNESS, np.uint8)
    ink = _inside(reddish, _seals(reddish, _RED, dpi))
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
    paper = _paper(grey, dpi)
    if ink.any():
        return _lifted(picture, np.asarray(red, np.uint8), ink, paper)
    between = (grey > _GREY[0] * paper) & (grey < _GREY[1] * paper)
    greyish = np.asarray(between & (cv2.subtract(most, least) < _COLOURED), np.uint8)
    stroke = max(3, round(_BROAD * dpi))
    broad = np.asarray(cv2.morphologyEx(greyish, cv2.MORPH_OPEN, np.ones((stroke, stroke), np.uint8)), np.uint8)
    ink = _inside(greyish, _seals(broad, _GREY_SEAL, dpi))
    return _lifted(picture, grey, ink, paper) if ink.any() else picture


def _paper(grey: NDArray[np.uint8], dpi: float) -> NDArray[np.uint8]:
    """How bright the paper is around every pixel: photos of pages have shadows."""
    height, width = grey.shape
    step = max(1, round(_PAPER * dpi))
    small = cv2.resize(grey, (max(1, width // step), max(1, height // step)), interpolation=cv2.INTER_AREA)
    bright = cv2.GaussianBlur(cv2.dilate(small, np.ones((7, 7), np.uint8)), (0, 0), 3)
    return np.asarray(cv2.resize(bright, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _seals(ink: Mask, shape: Shape, dpi: float) -> list[tuple[slice, slice]]:
    """Rows and columns of what is of a seal's size and shape."""
    if ink.mean() < _FAINTEST:
        return []
    coarse = cv2.resize(ink, None, fx=1 / _COARSE, fy=1 / _COARSE, interpolation=cv2.INTER_AREA)
    gap = max(1, round(shape.gap * dpi / _COARSE))
    _, _, boxes, _ = cv2.connectedComponentsWithStats(cv2.dilate(coarse, np.ones((gap, gap), np.uint8)))
    found = []
    for left, top, width, height, _ in boxes[1:] * _COARSE:
        longer, shorter = max(width, height) / dpi, min(width, height) / dpi
        if shorter >= max(shape.smallest, shape.slimmest * longer) and longer <= _LARGEST:
            found.append((slice(top, top + height), slice(left, left + width)))
    return found


def _inside(ink: Mask, seals: list[tuple[slice, slice]]) -> Mask:
    """The ink of seals."""
    kept = np.zeros_like(ink)
    for seal in seals:
        kept[seal] = ink[seal]
    return kept


def _lifted(picture: Picture, plane: NDArray[np.uint8], ink: Mask, paper: NDArray[np.uint8]) -> Picture:
    """The page with ink brightened to paper, until only what is clearly darker remains.

    Where a seal were left brighter than the paper around it, its letters would still be seen as text.

    Args:
        picture: The page.
        plane: The brightness in which ink and print differ most.
        ink: Where the seals are.
        paper: How bright the paper is around every pixel.
    """
    level = 0.93 * float(np.median(plane[ink > 0]))
    brightened = np.clip((plane - 0.5 * level) * (2 * 255 / level), 0, paper).astype(np.uint8)
    around = cv2.dilate(ink, np.ones((5, 5), np.uint8)) > 0
    result = picture.copy()
    result[around] = brightened[around][:, None]
    return result
