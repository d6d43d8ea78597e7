"""Which pixels show the ground: cloud, shadow of a cloud, snow, haze and mirror light told from it by their colour.

Rules on reflectance in the manner of Fmask (Zhu and Woodcock, 2012), kept to what is certain: what they leave, the
change network calls hidden where it is.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Pixels = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Quality:
    """What hides the ground.

    Attributes:
        missing: Pixels that the picture does not have.
        cloud: Under a cloud.
        shadow: In the shadow of one.
        snow: Under snow.
        haze: How much brighter the darkest ground looks in the blue than it should, as reflectance.
    """

    missing: Mask
    cloud: Mask
    shadow: Mask
    snow: Mask
    haze: float

    @property
    def usable(self) -> Mask:
        """Pixels that show the ground."""
        return ~(self.missing | self.cloud | self.shadow | self.snow)


def judge(reflectance: Pixels, bands: tuple[bool, ...], reference: Pixels | None = None) -> Quality:
    """Finds what hides the ground.

    Args:
        reflectance: [6, rows, columns], zero where there is none.
        bands: Which of the six bands are there.
        reference: The same of a clear picture of the place, where there is one: bright roofs and sand stay.
    """
    blue, green, red, _, swir, _ = reflectance
    missing = np.asarray(~(reflectance[list(bands)] > 0).all(0))
    visible = (blue + green + red) / 3
    white = np.abs(np.stack((blue, green, red)) - visible).sum(0) < 0.45 * visible
    bright = (visible > 0.32) & (blue > 0.28) & white
    if reference is not None:
        bright &= visible > reference[:3].mean(0) + 0.12
    snow = np.zeros_like(bright)
    if bands[4]:
        index = (green - swir) / np.maximum(green + swir, 1e-3)
        snow = (index > 0.45) & (green > 0.25)
        bright &= ~snow
        bright &= swir > 0.15
    haze = _haze(reflectance, missing)
    # Roofs are bright, too, but clouds are wide: what a disc of 5 pixels does not fit into is none.
    cloud = _wide(bright)
    shadow = _shadow(reflectance, reference, cloud) if bands[3] else np.zeros_like(cloud)
    return Quality(missing, cloud, shadow, _wide(snow) if snow.any() else snow, haze)


def _wide(mask: Mask) -> Mask:
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, disc)
    return cv2.dilate(opened, np.ones((5, 5), np.uint8)).astype(bool)


def _shadow(reflectance: Pixels, reference: Pixels | None, cloud: Mask) -> Mask:
    """Ground that is much darker than in the reference in all bands, where there are clouds to shade it."""
    if reference is None or not cloud.any():
        return np.zeros_like(cloud)
    now, then = reflectance[3], reference[3]
    darker = (now < 0.6 * then) & (reflectance[:3].mean(0) < 0.8 * reference[:3].mean(0)) & (then > 0.08)
    return _wide(darker & ~cloud)


def _haze(reflectance: Pixels, missing: Mask) -> float:
    """By the dark-object method (Chavez, 1988)."""
    blue = reflectance[0][~missing]
    return float(max(0.0, np.quantile(blue, 0.01) - 0.03)) if blue.size else 0.0
