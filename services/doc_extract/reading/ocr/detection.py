"""Where lines of text stand on a picture, by PaddleOCR's detector.

The network marks for every pixel how likely it lies in the core of a line: the line shrunk on all sides, so that
neighbours do not touch. What follows is the box formation of Differentiable Binarization (Liao et al., "Real-time Scene
Text Detection with Differentiable Binarization", AAAI 2020, section 3.4): threshold, connected regions, the smallest
rectangle around each, its mean score, and growth by area * ratio / perimeter.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from services.doc_extract.reading.ocr.picture import Picture, resized

MODEL = "ocr_det"
INPUT = "image"
OUTPUT = "text"

Quads = NDArray[np.float32]
"""(lines, 4, 2): corners of each line in pixels: upper left, upper right, lower right, lower left."""

_LONGEST = 1440
"""Pixels of the longer side that the network sees: more costs time and finds nothing more on a page of A4."""
_STRIDE = 32
_PIXEL = round(0.2 * 255)
"""Least value of a pixel of a line's core. This, the next two: PP-OCRv6's own inference.yml."""
_SCORE = 0.45 * 255
_GROWTH = 1.4
_SMALLEST = 3.0
"""Pixels of the shorter side of a core; less is noise."""
_MOST = 3000


def prepare(picture: Picture) -> Picture:
    """The picture in the size that the network takes: sides are multiples of 32, its shape nearly kept."""
    height, width = picture.shape[:2]
    scale = _LONGEST / max(height, width)
    sides = (max(_STRIDE, round(side * scale / _STRIDE) * _STRIDE) for side in (width, height))
    return resized(picture, *sides)


def quads(scores: NDArray[np.uint8], width: int, height: int) -> Quads:
    """Lines out of what the network answers.

    Args:
        scores: (rows, columns), 255 where a pixel certainly lies in the core of a line.
        width: Of the picture in pixels.
        height: Of the picture in pixels.

    Returns:
        Boxes in the picture's pixels, within its edges, in no order.
    """
    contours, _ = cv2.findContours((scores > _PIXEL).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    found = [box for contour in contours[:_MOST] if (box := _box(np.asarray(contour, np.int32), scores)) is not None]
    scale = np.array([width / scores.shape[1], height / scores.shape[0]], np.float32)
    boxes = np.array(found, np.float32).reshape(-1, 4, 2) * scale
    return np.asarray(np.clip(boxes, 0, np.array([width, height], np.float32)), np.float32)


def _box(contour: NDArray[np.int32], scores: NDArray[np.uint8]) -> NDArray[np.float32] | None:
    """The line around one core, or None where it is none."""
    centre, (width, height), angle = cv2.minAreaRect(contour)
    if min(width, height) < _SMALLEST or _score(contour, scores) < _SCORE:
        return None
    margin = 2 * width * height * _GROWTH / (2 * (width + height))
    return _ordered(np.asarray(cv2.boxPoints((centre, (width + margin, height + margin), angle)), np.float32))


def _score(contour: NDArray[np.int32], scores: NDArray[np.uint8]) -> float:
    """Mean score inside a contour."""
    left, top, width, height = cv2.boundingRect(contour)
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [contour - np.array([left, top], np.int32)], 1)
    mean: float = cv2.mean(scores[top : top + height, left : left + width], mask)[0]
    return mean


def _ordered(corners: NDArray[np.float32]) -> NDArray[np.float32]:
    """Corners clockwise, from the one that is upper left when the box is turned by less than 45 degrees."""
    start = int(np.argmin(corners.sum(axis=1)))
    clockwise: NDArray[np.float32] = np.roll(corners, -start, axis=0)
    return clockwise
