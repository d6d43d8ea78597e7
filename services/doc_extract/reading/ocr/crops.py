"""Lines cut out of a picture as the recogniser takes them: upright, of one height, of few different widths."""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from services.doc_extract.reading.ocr.picture import Picture, resized

HEIGHT = 48
_WIDEST = 3200
_STEPS = ((512, 16), (1024, 32), (math.inf, 64))
"""Up to which width in pixels widths are multiples of what."""
_TALL = 1.5
_CERTAINLY_TALL = 3.0


def bucket(shape: float) -> int:
    """The width in pixels that a line is given, so that lines of about one shape can share a batch.

    Lines are stretched to it by a few percent, never padded: padding changes what the recogniser reads.

    Args:
        shape: Width of the line by its height.
    """
    width = HEIGHT * shape
    step = next(step for widest, step in _STEPS if width <= widest)
    return min(max(round(width / step) * step, step), _WIDEST)


def ratio(quad: NDArray[np.float32]) -> float:
    """Width of a quadrilateral, (4, 2), by its height."""
    width, height = _sides(quad)
    return width / height


def cut(picture: Picture, quad: NDArray[np.float32]) -> Picture:
    """What stands in a quadrilateral, (4, 2), as a rectangle of HEIGHT times a bucket's width."""
    width, height = _sides(quad)
    size = (math.ceil(width), math.ceil(height))
    corners = np.array([[0, 0], [size[0], 0], [size[0], size[1]], [0, size[1]]], np.float32)
    turned = cv2.getPerspectiveTransform(quad, corners)
    crop = cv2.warpPerspective(picture, turned, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return resized(np.asarray(crop, np.uint8), bucket(width / height), HEIGHT)


def ways(quad: NDArray[np.float32]) -> Sequence[NDArray[np.float32]]:
    """How a box may be read: along its upper edge, or, where it is tall, as a column from the top down.

    A tall box may also hold one narrow character, such as 1, which stands upright in it.
    """
    tallness = 1 / ratio(quad)
    column = np.roll(quad, -1, axis=0)
    if tallness < _TALL:
        return (quad,)
    return (column,) if tallness >= _CERTAINLY_TALL else (quad, column)


def _sides(quad: NDArray[np.float32]) -> tuple[float, float]:
    """Width and height, at least a pixel each."""
    upper_left, upper_right, _, lower_left = quad
    across, down = np.linalg.norm(upper_right - upper_left), np.linalg.norm(lower_left - upper_left)
    return max(1.0, float(across)), max(1.0, float(down))
