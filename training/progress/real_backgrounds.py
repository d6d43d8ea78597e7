"""Real Sentinel-2 pictures as ground for simulated sites: modified Copernicus Sentinel data, without any labels.

Read from the folder of OSCD's cities; only their pictures are used (free with attribution), never its masks.
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import rasterio
from numpy.typing import NDArray

from services.progress_monitor.alignment.radiometry import normalised
from services.progress_monitor.alignment.registration import aligned, register
from training.paths import PUBLIC_DATA_DIR
from training.progress.simulator.backgrounds import Background, DrawnCountryside, RealGround
from training.progress.simulator.canvas import Canvas

HELD_OUT_CITIES = ("cupertino", "nantes")
"""Cities whose ground no model is fitted on."""

_GSD = 10.0
_PROBABLY_CHANGED = 0.03
"""Share of a city that differs most between its dates: what was built between them is probably in it."""
_FILES = (("10m", ("B02", "B03", "B04", "B08")), ("20m", ("B11", "B12")))


Pair = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Reflectance [6, rows, columns] of a place on two dates, one lying on the other."""


def read_cities(folder: Path, cities: Sequence[str] | None = None) -> dict[str, Pair]:
    """Both dates by city.

    Args:
        folder: OSCD's folder of cities.
        cities: Their names; all but `HELD_OUT_CITIES` where None.
    """
    found = sorted(path.name for path in folder.iterdir() if path.is_dir())
    chosen = cities if cities is not None else [name for name in found if name not in HELD_OUT_CITIES]
    return {city: _together(*(read_date(folder / city, date) for date in ("t1", "t2"))) for city in chosen}


def _together(one: NDArray[np.float32], two: NDArray[np.float32]) -> Pair:
    """The second date laid onto the first; the first again where the second has probably changed for good."""
    rows, columns = (min(lengths) for lengths in zip(one.shape[1:], two.shape[1:], strict=True))
    one, two = one[:, :rows, :columns], two[:, :rows, :columns]
    everywhere = np.ones((rows, columns), bool)
    two = aligned(two, register(two[:3].mean(0), one[:3].mean(0), everywhere))
    away = np.abs(normalised(two, one, everywhere) - one).mean(0)
    changed = (away > np.quantile(away, 1 - _PROBABLY_CHANGED)) | (two == 0).any(0)
    changed = cv2.dilate(changed.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    return one, np.where(changed, one, two)


def read_date(folder: Path, date: str) -> NDArray[np.float32]:
    """Reflectance [6, rows, columns] of one date of a city at 10 m."""
    bands: list[NDArray[np.float32]] = []
    for resolution, names in _FILES:
        with rasterio.open(folder / f"{date}_{resolution}.tif") as file:
            pixels = file.read([file.descriptions.index(name) + 1 for name in names]).astype(np.float32) / 10_000
        size = bands[0].shape[::-1] if bands else pixels.shape[:0:-1]
        bands += [cv2.resize(band, size, interpolation=cv2.INTER_LINEAR) for band in pixels]
    return np.stack(bands)


class MixedGround:
    """Makes ground of both sorts: drawn, or cut out of a real picture.

    Args:
        pairs: Real places.
        real: Share of real ground.
    """

    def __init__(self, pairs: Sequence[Pair], real: float = 0.6) -> None:
        self._pairs, self._real = pairs, real

    def __call__(self, canvas: Canvas, rng: np.random.Generator) -> Background:
        """Ground for a canvas."""
        if not self._pairs or rng.random() >= self._real:
            return DrawnCountryside(canvas, rng)
        pair = self._pairs[int(rng.integers(len(self._pairs)))]
        side = min(round(canvas.extent / _GSD), *pair[0].shape[1:])
        top, left = (int(rng.integers(0, length - side + 1)) for length in pair[0].shape[1:])
        turns = int(rng.integers(4))
        one, two = (np.rot90(each[:, top : top + side, left : left + side], turns, (1, 2)) for each in pair)
        return RealGround((np.ascontiguousarray(one), np.ascontiguousarray(two)), canvas, rng)


def grounds(*, held_out: bool = False) -> MixedGround:
    """Ground of both sorts, or drawn alone where the real pictures are not at hand.

    Args:
        held_out: Whether over the cities that no model is fitted on, and not over the others.
    """
    folder = PUBLIC_DATA_DIR / "oscd_s2"
    cities = read_cities(folder, HELD_OUT_CITIES if held_out else None) if folder.is_dir() else {}
    return MixedGround(list(cities.values()))
