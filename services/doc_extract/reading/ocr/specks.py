"""Specks of a fax: dots too small for print, which a recogniser takes for full stops."""

import cv2
import numpy as np

from services.doc_extract.reading.ocr.picture import Picture

_SIZE = 1 / 70
"""Inches of a side of the largest speck; the full stop of 8 point print is twice as large."""
_MANY = 22.0
"""Specks to the square inch that make a page a noisy one; others are left as they are."""


def without_specks(picture: Picture, dpi: float) -> Picture:
    """The page with its specks painted as paper; the picture itself where there are few.

    Args:
        picture: The page.
        dpi: Its pixels to the inch.
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    _, ink = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    small = boxes[:, cv2.CC_STAT_AREA] <= max(1.0, (_SIZE * dpi) ** 2)
    if small.sum() < _MANY * grey.size / dpi**2:
        return picture
    result = picture.copy()
    result[small[labels]] = np.median(picture[ink == 0], axis=0)
    return result
