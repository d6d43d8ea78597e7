"""The sheet of paper in a photo, which lies on something darker and is seen from the side."""

import cv2
import numpy as np
from numpy.typing import NDArray

from services.doc_extract.reading.ocr.picture import Picture

_SIDE = 600
"""Pixels of the longer side of the copy in which it is looked for."""
_LEAST, _MOST = 0.25, 0.95
"""Shares of the picture that it covers; a scan is paper all over."""
_DARKER = 30.0
"""Levels of grey by which what it lies on is darker."""
_PRINT = 15
"""Pixels over which print is closed, so that paper is one bright patch."""
_CORNER = 0.02
"""Share of its edge by which corners may be off."""


def outline(picture: Picture) -> NDArray[np.float32] | None:
    """The sheet's corners, (4, 2), clockwise from the upper left; None where it fills the picture, or is none."""
    scale = min(1.0, _SIDE / max(picture.shape[:2]))
    grey = cv2.cvtColor(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    _, bright = cv2.threshold(cv2.GaussianBlur(grey, (5, 5), 0), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    # A frame keeps what is closed at the picture's edge from growing into it.
    framed = cv2.copyMakeBorder(bright, _PRINT, _PRINT, _PRINT, _PRINT, cv2.BORDER_CONSTANT, value=0)
    closed = cv2.morphologyEx(framed, cv2.MORPH_CLOSE, np.ones((_PRINT, _PRINT), np.uint8))
    patches, _ = cv2.findContours(closed[_PRINT:-_PRINT, _PRINT:-_PRINT], cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not patches:
        return None
    hull = cv2.convexHull(max(patches, key=cv2.contourArea))
    corners = cv2.approxPolyDP(hull, _CORNER * cv2.arcLength(hull, closed=True), closed=True).reshape(-1, 2)
    if len(corners) != 4 or not _LEAST <= cv2.contourArea(corners) / grey.size <= _MOST:
        return None
    inside = cv2.fillConvexPoly(np.zeros_like(grey), corners, 1).astype(bool)
    if float(np.median(grey[inside])) - float(np.median(grey[~inside])) < _DARKER:
        return None
    return _clockwise(np.asarray(corners / scale, np.float32))


def _clockwise(corners: NDArray[np.float32]) -> NDArray[np.float32]:
    """Corners from the upper left."""
    sums, differences = corners.sum(axis=1), corners[:, 0] - corners[:, 1]
    order = [sums.argmin(), differences.argmax(), sums.argmax(), differences.argmin()]
    return corners[order]
