"""Change between two whole scenes, window by window: memory stays the same however large they are."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.io import DatasetReader, DatasetWriter
from rasterio.windows import Window

from bankai.evaluation.inputs import BadInputError
from services.progress_monitor.alignment.matching import brought
from services.progress_monitor.alignment.registration import Registration, brightness, register
from services.progress_monitor.change.model import ChangeModel
from services.progress_monitor.change.surfaces import Surface
from services.progress_monitor.imagery.sensors import BANDS, Sensor, band_positions, calibration

_SIDE = 480
_MARGIN = 32
"""Pixels beside a window that are read along and whose answers are thrown away."""
_OVERVIEW = 1000
"""Pixels of the middle of the scenes that are registered."""
_AT_ONCE = 2
_CACHE_MB = 64
"""GDAL's cache of blocks; a twentieth of the machine's memory unless told."""
_TIMEOUT_S = 600.0


async def compare_scenes(before: Path, after: Path, out: Path, model: ChangeModel) -> Registration:
    """Writes the probability of change of every pixel, in percent, as a GeoTIFF.

    Args:
        before: A scene.
        after: Another, on the same pixels but for a shift.
        out: File to write; uint8.
        model: The change model.

    Returns:
        How the second scene lies against the first.

    Raises:
        BadInputError: The scenes are not of one size, or lack bands.
    """
    with (
        rasterio.Env(GDAL_CACHEMAX=_CACHE_MB),
        rasterio.open(before, driver="GTiff") as one,
        rasterio.open(after, driver="GTiff") as two,
    ):
        if one.shape != two.shape:
            raise BadInputError(after, None, f"is of another size than {before.name}")
        registration = _registered(one, two)
        profile = one.profile | {"count": 1, "dtype": "uint8", "nodata": None, "compress": "deflate"}
        slots = asyncio.Semaphore(_AT_ONCE)
        with rasterio.open(out, "w", **profile) as target:
            turns = asyncio.Lock()

            async def work(window: Window) -> None:
                async with slots:
                    async with turns:  # a dataset bears one reader at a time
                        pair = await asyncio.to_thread(
                            lambda: [_read(each, _wider(window, each)) for each in (one, two)]
                        )
                    local = registration.at(*_from_centre(window, one))
                    change = await _changed(pair, local, model)
                    async with turns:
                        await asyncio.to_thread(_write, target, window, change)

            async with asyncio.TaskGroup() as group:
                for window in _windows(one.shape):
                    group.create_task(work(window))
        return registration


async def _changed(
    pair: Sequence[NDArray[np.float32]], registration: Registration, model: ChangeModel
) -> NDArray[np.uint8]:
    everywhere = np.ones(pair[0].shape[1:], bool)
    after = await asyncio.to_thread(brought, pair[1], pair[0], registration, everywhere)
    surfaces, _ = await model.surfaces(pair[0], after, timeout=_TIMEOUT_S)
    return np.asarray(np.round((1 - surfaces[Surface.AS_BEFORE]) * 100), np.uint8)


def _registered(one: DatasetReader, two: DatasetReader) -> Registration:
    rows, columns = one.shape
    height, width = min(_OVERVIEW, rows), min(_OVERVIEW, columns)
    middle = Window((columns - width) // 2, (rows - height) // 2, width, height)
    mine, theirs = (brightness(_read(each, middle)) for each in (two, one))
    return register(mine, theirs, (mine > 0) & (theirs > 0))


def _windows(shape: tuple[int, int]) -> list[Window]:
    return [
        Window(left, top, min(_SIDE, shape[1] - left), min(_SIDE, shape[0] - top))
        for top in range(0, shape[0], _SIDE)
        for left in range(0, shape[1], _SIDE)
    ]


def _wider(window: Window, dataset: DatasetReader) -> Window:
    top, left = max(0, window.row_off - _MARGIN), max(0, window.col_off - _MARGIN)
    bottom = min(dataset.height, window.row_off + window.height + _MARGIN)
    right = min(dataset.width, window.col_off + window.width + _MARGIN)
    return Window(left, top, right - left, bottom - top)


def _from_centre(window: Window, dataset: DatasetReader) -> tuple[float, float]:
    """Pixels (right, down) from a scene's centre to a window's."""
    wider = _wider(window, dataset)
    return wider.col_off + (wider.width - dataset.width) / 2, wider.row_off + (wider.height - dataset.height) / 2


def _read(dataset: DatasetReader, window: Window) -> NDArray[np.float32]:
    """Reflectance [6, rows, columns] of a window."""
    positions = band_positions(Sensor.SENTINEL2_L2A, dataset.descriptions, ())
    there = [band for band, position in enumerate(positions) if position is not None]
    numbers = calibration(Sensor.SENTINEL2_L2A, dataset.dtypes[0], None)
    raw = dataset.read([(positions[band] or 0) + 1 for band in there], window=window)
    light = np.zeros((len(BANDS), *raw.shape[1:]), np.float32)
    light[there] = np.maximum(raw * np.float32(numbers.scale) + np.float32(numbers.offset), np.float32(1e-4)) * (
        raw > 0
    )
    return light


def _write(target: DatasetWriter, window: Window, change: NDArray[np.uint8]) -> None:
    top, left = min(window.row_off, _MARGIN), min(window.col_off, _MARGIN)
    target.write(change[top : top + window.height, left : left + window.width], 1, window=window)
