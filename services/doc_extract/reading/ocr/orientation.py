"""Which way up a page lies, by PaddlePaddle's classifier of page orientation."""

import numpy as np
from numpy.typing import NDArray

from services.doc_extract.reading.ocr.picture import Picture, resized

MODEL = "ocr_orientation"
INPUT = "image"
OUTPUT = "probabilities"

_SIDE = 224
_SHORTER = 256


def prepare(picture: Picture) -> NDArray[np.uint8]:
    """(3, 224, 224, 3): the beginning, the middle and the end of a page along its longer side."""
    height, width = picture.shape[:2]
    scale = _SHORTER / min(height, width)
    # A strip of one pixel's height would become as long as memory allows.
    longest = 8 * _SHORTER
    small = resized(picture, min(round(width * scale), longest), min(round(height * scale), longest))
    rows, columns = small.shape[0] - _SIDE, small.shape[1] - _SIDE
    places = ((rows * share // 4, columns * share // 4) for share in (1, 2, 3))
    return np.stack([small[top : top + _SIDE, left : left + _SIDE] for top, left in places])


def turns(probabilities: NDArray[np.float32]) -> list[int]:
    """Quarter turns, clockwise, that make the page upright, the most likely first.

    Args:
        probabilities: (pieces, 4): that each piece is turned clockwise by 0, 90, 180 and 270 degrees.
    """
    return [int(-quarter % 4) for quarter in np.argsort(-probabilities.mean(axis=0), kind="stable")]
