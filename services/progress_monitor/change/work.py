"""The work model behind the inference backend: where something was built between two dates."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bankai.inference.backend import InferenceBackend
from services.progress_monitor.change.surfaces import Surface

MODEL = "progress_work"
"""Name of the model in the repository."""
FEATURES = 48
"""Numbers of a pixel that the model looks at."""
MONTH_DAYS = 25.0
"""Days that must lie between two pictures for a month's work to be told from none: less shows too little."""
QUARTER_DAYS = 90.0
"""Days that must lie between two pictures to tell rest from work."""

_SURE = 0.9
"""Probability from which a pixel counts: doubtful ones are mostly moisture, haze and edges."""
_FEWEST = 12
_MOST_ROWS = 16_384
_SPREAD = 4.0
"""Brings differences of root reflectance to about one."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Shown:
    """A date's pixels.

    Attributes:
        reflectance: Aligned and normalised to the reference; [6, rows, columns], zero where there is none.
        surfaces: The most probable `Surface` of each pixel; uint8 [rows, columns].
        usable: Pixels that show the ground.
    """

    reflectance: NDArray[np.float32]
    surfaces: NDArray[np.uint8]
    usable: Mask


def month_before(days: Sequence[float], day: float) -> int | None:
    """Number of the last date at least a month before; None where all are too near.

    Args:
        days: Days of the dates before, in order.
        day: Its own.
    """
    number = bisect_right(days, day - MONTH_DAYS)
    return number - 1 if number else None


def quarter_before(days: Sequence[float], day: float) -> int | None:
    """Number of the last date at least a quarter before with another between them; None where there is none.

    Args:
        days: Days of the dates before, in order.
        day: Its own.
    """
    number = min(bisect_right(days, day - QUARTER_DAYS), len(days) - 1)
    return number - 1 if number > 0 else None


def pixels(now: Shown, before: Shown, site: Mask) -> NDArray[np.float32] | None:
    """What the model looks at, for each pixel of a site that is seen on two dates.

    Args:
        now: The later date.
        before: The earlier one.
        site: Pixels of the site.

    Returns:
        [pixels, FEATURES], in the order of `site & now.usable & before.usable`; None where too few are seen.
    """
    both = site & now.usable & before.usable
    if both.sum() < _FEWEST:
        return None
    there = np.asarray((now.reflectance > 0).any((1, 2)) & (before.reflectance > 0).any((1, 2)))
    then, later = (np.sqrt(np.maximum(each.reflectance, 1e-3)) for each in (before, now))
    moved = later - then
    # What all changed ground has in common is light and moisture, not work.
    changed = both & (now.surfaces != Surface.AS_BEFORE) & (before.surfaces != Surface.AS_BEFORE)
    ground = changed if changed.sum() > 2 * _FEWEST else both
    common = np.median(moved[:, ground], 1)
    scatter = np.median(np.abs(moved[:, ground] - common[:, None]), 1)
    own = np.where(both, moved - common[:, None, None], 0).astype(np.float32)
    share = cv2.blur(both.astype(np.float32), (3, 3))
    around = np.stack([cv2.blur(band, (3, 3)) for band in own]) / np.maximum(share, 1e-6)
    count = int(both.sum())
    wide = np.repeat(np.concatenate((common * _SPREAD, scatter * 2 * _SPREAD))[:, None], count, 1)
    bands = np.concatenate(
        (
            own[:, both] * _SPREAD,
            around[:, both] * _SPREAD,
            (then[:, both] - 0.45) * 2,
            (later[:, both] - 0.45) * 2,
            wide,
        )
    )
    bands *= np.tile(there, len(bands) // len(there))[:, None]
    became = [np.eye(len(Surface), dtype=np.float32)[each.surfaces[both], : Surface.HIDDEN].T for each in (before, now)]
    return np.ascontiguousarray(np.concatenate((bands, *became)).T, dtype=np.float32)


class WorkModel:
    """Asks the work model.

    Args:
        backend: Runs the model.
    """

    def __init__(self, backend: InferenceBackend) -> None:
        self._backend = backend

    async def worked(
        self,
        now: Shown,
        before: Shown,
        site: Mask,
        *,
        timeout: float,  # noqa: ASYNC109  # part of a deadline
    ) -> float | None:
        """Share of a site on which something was built between two dates; None where too little is seen on both.

        Args:
            now: The later date.
            before: The earlier one.
            site: Pixels of the site.
            timeout: Seconds until the answer is of no use any more.

        Raises:
            BankaiError: As the backend.
        """
        rows = pixels(now, before, site)
        if rows is None:
            return None
        sure = 0
        for start in range(0, len(rows), _MOST_ROWS):
            answer = await self._backend.infer(MODEL, {"pixels": rows[start : start + _MOST_ROWS]}, timeout=timeout)
            sure += int((answer.outputs["worked"] > _SURE).sum())
        return sure / len(rows)
