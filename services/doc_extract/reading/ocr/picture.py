"""Pictures: what reading a scan works on."""

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""(height, width, 3): red, green, blue."""


def resized(picture: Picture, width: int, height: int) -> Picture:
    """The picture in another size, without the ragged edges that plain sampling leaves where it shrinks.

    Args:
        picture: Of any size.
        width: In pixels.
        height: In pixels.
    """
    shrinks = width * height < picture.shape[0] * picture.shape[1]
    way = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (width, height), interpolation=way), np.uint8)
