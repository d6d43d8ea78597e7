"""Perceptual hashes: the same picture again, re-encoded or brightened, has nearly the same bits."""

import cv2
import numpy as np
from numpy.typing import NDArray

_SIDE = 32
_KEPT = 8


def fingerprint(brightness: NDArray[np.float32]) -> str:
    """64 bits of a picture, hexadecimal: signs of its lowest cosine waves against their median (pHash, Zauner, 2010).

    Args:
        brightness: [rows, columns].
    """
    small = cv2.resize(brightness.astype(np.float32), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    waves = cv2.dct(small)[:_KEPT, :_KEPT].ravel()
    bits = waves > np.median(waves[1:])
    return np.packbits(bits).tobytes().hex()


def distance(one: str, other: str) -> int:
    """Bits, of 64, in which two hashes differ."""
    return (int(one, 16) ^ int(other, 16)).bit_count()
