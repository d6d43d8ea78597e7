"""A site on one date in numbers."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from services.progress_monitor.change.surfaces import CHANGED, Surface

FEATURES = 10
"""Numbers of `Measures.features`."""

ACTIVITY_DAYS = 25.0
"""Days that must lie between two pictures for their difference to be called activity: less shows too little."""

_SURE = 0.5
_OTHERWISE = 0.06
"""Mean difference of reflectance from which a pixel looks otherwise: more than moist soil, less than a new slab."""
_FEWEST = 12


@dataclass(frozen=True, slots=True)
class Measures:
    """What a site looks like on one date.

    Attributes:
        usable: Share of the site that shows the ground, in [0, 1].
        shares: Mean probability of each surface but `HIDDEN` over the usable part of the site; six numbers.
        certain: Share of the usable part of the site where each surface but `HIDDEN` is the most probable; six numbers.
        outside: Share of the usable part of the ring that has changed for sure.
        activity: Share of the site that looks otherwise than about a month before; None without such a picture.
    """

    usable: float
    shares: tuple[float, ...]
    certain: tuple[float, ...]
    outside: float
    activity: float | None = None

    @property
    def changed(self) -> float:
        """Share of the usable part of the site that has changed."""
        return 1.0 - self.shares[Surface.AS_BEFORE]

    def features(self) -> NDArray[np.float32]:
        """What the state model looks at; [FEATURES], all about within [0, 1]."""
        shares = np.array(self.shares, np.float32)
        built = shares[[Surface.FOUNDATION, Surface.STRUCTURE, Surface.COVERED]]
        within = built / max(float(built.sum()), 0.02)
        roofed = self.certain[Surface.COVERED]
        return np.concatenate((np.sqrt(shares), within, [np.float32(np.sqrt(roofed))])).astype(np.float32)


UNCHANGED = Measures(0.0, (1.0, *[0.0] * 5), (1.0, *[0.0] * 5), 0.0)
"""A site of which nothing is seen, or nothing but what was there before."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A date's pixels.

    Attributes:
        reflectance: Aligned and normalised to the reference; [6, rows, columns], zero where there is none.
        usable: Pixels that show the ground.
    """

    reflectance: NDArray[np.float32]
    usable: NDArray[np.bool_]


def measure(
    surfaces: NDArray[np.float32], usable: NDArray[np.bool_], site: NDArray[np.bool_], ring: NDArray[np.bool_]
) -> Measures:
    """Measures a site.

    Args:
        surfaces: Probability of each `Surface`; [7, rows, columns].
        usable: Pixels that show the ground; [rows, columns].
        site: Pixels of the site.
        ring: Pixels around it.
    """
    shown = site & usable
    seen = float(shown.sum()) / max(1.0, float(site.sum()))
    if not shown.any():
        return UNCHANGED
    inside = surfaces[: Surface.HIDDEN, shown]
    inside = inside / np.maximum(inside.sum(0), 1e-6)
    most = np.bincount(inside.argmax(0), minlength=len(inside)) / inside.shape[1]
    around = surfaces[:, ring & usable]
    outside = float((around[list(CHANGED)].sum(0) > _SURE).mean()) if around.size else 0.0
    shares = inside.mean(1)
    return Measures(seen, tuple(float(each) for each in shares), tuple(float(each) for each in most), outside)


def month_before(days: Sequence[float], day: float) -> int | None:
    """Number of the date with which a date is compared for its activity; None where all are too near.

    Args:
        days: Days of the dates before, in order.
        day: Its own.
    """
    number = bisect_right(days, day - ACTIVITY_DAYS)
    return number - 1 if number else None


def activity(now: Shown, before: Shown, site: NDArray[np.bool_]) -> float | None:
    """Share of a site that looks otherwise on two dates; None where too little of it is seen on both.

    Args:
        now: The later date.
        before: The earlier one.
        site: Pixels of the site.
    """
    both = site & now.usable & before.usable
    if both.sum() < _FEWEST:
        return None
    bands = ((now.reflectance > 0).any((1, 2))) & ((before.reflectance > 0).any((1, 2)))
    away = np.abs(now.reflectance[bands] - before.reflectance[bands]).mean(0).astype(np.float32)
    # Averaged over neighbours, so that what is left of the shift between the pictures does not count.
    return float((cv2.blur(away, (3, 3))[both] > _OTHERWISE).mean())
