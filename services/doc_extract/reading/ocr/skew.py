"""By how much the lines of a page slope.

The slope is the one along which ink falls into the sharpest rows: the profile of a projection is sharpest along the
lines (Postl, "Detection of linear oblique structures and skew scan in digitized documents", ICPR 1986).
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from services.doc_extract.reading.ocr.picture import Picture

_LARGEST = 10.0
"""Degrees."""
_COARSE, _FINE = 0.5, 0.05
_SHARPER = 1.05
"""By which the sharpness must grow; what has no lines is left as it is."""
_SIDE = 1000
_POINTS = 40_000


def slope(picture: Picture) -> float:
    """Degrees, clockwise, by which lines are turned, within 10 either way; 0 where there are none."""
    rows, columns = _ink(picture)
    if not len(rows):
        return 0.0

    def sharpness(degrees: float) -> float:
        angle = np.radians(degrees)
        places = rows * np.cos(angle) - columns * np.sin(angle)
        profile = np.bincount((places - places.min()).astype(np.int64))
        return float(np.square(profile, dtype=np.float64).sum())

    best = max(np.arange(-_LARGEST, _LARGEST + _COARSE, _COARSE), key=sharpness)
    best = max(np.arange(best - _COARSE, best + _COARSE, _FINE), key=sharpness)
    return float(best) if sharpness(best) > _SHARPER * sharpness(0.0) else 0.0


def _ink(picture: Picture) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Rows and columns of dark pixels of a small copy, at most _POINTS of them."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    scale = _SIDE / max(grey.shape)
    if scale < 1:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    dark = cv2.adaptiveThreshold(grey, 1, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 25, 15)
    rows, columns = np.nonzero(dark)
    every = max(1, len(rows) // _POINTS)
    return rows[::every].astype(np.float32), columns[::every].astype(np.float32)
