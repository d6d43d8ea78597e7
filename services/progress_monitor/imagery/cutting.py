"""A picture cut to a site's grid, as reflectance in the service's bands."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.warp import reproject, transform_bounds

from bankai.errors import InvalidRequestError
from services.progress_monitor.grid import Grid
from services.progress_monitor.imagery.opening import Place, corrupt, place_of
from services.progress_monitor.imagery.question import Question
from services.progress_monitor.imagery.sensors import Calibration, Sensor, band_positions, calibration

_COARSER = 1.5
"""From how many times finer than the grid a picture is averaged, not sampled."""
_TOO_COARSE = 4.0
"""A picture whose pixels are this much larger than the grid's shows nothing of the site."""
_SATURATED_U16 = 65_535
_FINE_M = 1.0
"""Metres per pixel up to which a picture is worth a look on the finer grid."""


@dataclass(frozen=True, slots=True)
class Chip:
    """A site in one picture.

    Attributes:
        reflectance: [6, rows, columns] of the grid; zero where there is none and in bands that are missing.
        bands: Which of `BANDS` are there.
        covered: Share of the grid that the picture covers.
        detail: RGB [3, rows, columns] of the question's finer grid, zero where there is none; None for a picture that
            is not fine enough, or of which none was asked.
    """

    reflectance: NDArray[np.float32]
    bands: tuple[bool, ...]
    covered: float
    detail: NDArray[np.uint8] | None = None


def cut(dataset: DatasetReader, question: Question) -> Chip:
    """Cuts a picture to a site's grid. Reads only the part that the grid needs, in windows.

    Args:
        dataset: The picture, opened.
        question: The grid, and what is known of the picture.

    Raises:
        InvalidRequestError: IMAGE_NOT_PLACED, IMAGE_CORNERS_INVALID, IMAGE_OFF_SITE, IMAGE_TOO_COARSE, IMAGE_CORRUPT,
            BANDS_UNKNOWN, BANDS_MISMATCH or PIXELS_UNSUPPORTED.
    """
    positions = band_positions(question.sensor, dataset.descriptions, question.bands)
    first = next(position for position in positions if position is not None)
    calibrated = calibration(question.sensor, dataset.dtypes[first], question.offset)
    place, grid = place_of(dataset, question.corners), question.grid
    gsd = _gsd(dataset, place, grid)
    if gsd > _TOO_COARSE * grid.gsd:
        raise InvalidRequestError(
            "IMAGE_TOO_COARSE",
            f"the picture's pixels are {gsd / grid.gsd:.0f} times as large as the {grid.gsd:g} m that are compared",
        )
    reflectance = _reflectance(dataset, place, grid, positions, calibrated, gsd)
    covered = float((reflectance > 0).any(0).mean())
    if covered == 0:
        raise _off_site()
    detail = None
    if question.detail is not None and question.sensor is Sensor.RGB and gsd <= _FINE_M:
        visible = _reflectance(dataset, place, question.detail, positions[:3], calibrated, gsd)[::-1]
        detail = np.where(visible > 0, np.clip(np.round(visible * 255), 1, 255), 0).astype(np.uint8)
    return Chip(reflectance, tuple(position is not None for position in positions), covered, detail)


def _reflectance(  # noqa: PLR0913, PLR0917  # what a cut depends on
    dataset: DatasetReader,
    place: Place,
    grid: Grid,
    positions: Sequence[int | None],
    calibrated: Calibration,
    gsd: float,
) -> NDArray[np.float32]:
    """Bands [n, rows, columns] of a grid; zero where there is no picture and in bands that are missing."""
    resampling = Resampling.average if gsd < grid.gsd / _COARSER else Resampling.cubic
    nodata = dataset.nodata if dataset.nodata is not None else 0
    out = np.zeros((len(positions), *grid.shape), np.float32)
    there = _visible(dataset, place, grid)
    for band, position in enumerate(positions):
        if position is None:
            continue
        numbers = _warped(dataset, place, grid, position + 1, resampling, nodata)
        known = np.isfinite(numbers)
        if dataset.dtypes[position] == "uint16":
            known &= numbers < _SATURATED_U16
        there &= known
        # Dark ground keeps a value of its own: zero stands for no picture.
        out[band] = np.where(known, np.clip(numbers * calibrated.scale + calibrated.offset, 1e-4, 2.0), 0)
    out[:, ~there] = 0
    return out


def _warped(  # noqa: PLR0913, PLR0917  # what one band of a reprojection needs
    dataset: DatasetReader, place: Place, grid: Grid, index: int, resampling: Resampling, nodata: float | None
) -> NDArray[np.float32]:
    """One band's numbers on the grid, not a number where there are none."""
    target = np.full(grid.shape, np.nan, np.float32)
    try:
        reproject(
            _source(dataset, index),
            target,
            src_transform=place.transform,
            src_crs=place.crs,
            src_nodata=nodata,
            dst_transform=grid.transform,
            dst_crs=f"EPSG:{grid.epsg}",
            dst_nodata=np.nan,
            resampling=resampling,
            warp_mem_limit=64,
        )
    except RasterioError:
        raise corrupt() from None
    return target


def _source(dataset: DatasetReader, index: int) -> Any:
    """A band to be read in windows; its pixels where GDAL cannot know the place that the caller gave."""
    return rasterio.band(dataset, index) if dataset.crs is not None else dataset.read(index)


def _visible(dataset: DatasetReader, place: Place, grid: Grid) -> NDArray[np.bool_]:
    """Where the picture is not transparent."""
    alpha = [index for index, kind in enumerate(dataset.colorinterp, 1) if kind.name == "alpha"]
    if not alpha:
        return np.ones(grid.shape, bool)
    return np.nan_to_num(_warped(dataset, place, grid, alpha[0], Resampling.nearest, None)) > 127


def _gsd(dataset: DatasetReader, place: Place, grid: Grid) -> float:
    """Metres per pixel of a picture about a grid that lies on it."""
    try:
        window = transform_bounds(f"EPSG:{grid.epsg}", place.crs, *_bounds(grid))
    except RasterioError:
        raise _off_site() from None
    left, top = ~place.transform * (window[0], window[3])
    right, bottom = ~place.transform * (window[2], window[1])
    if not all(np.isfinite((left, top, right, bottom))) or (
        max(left, right) <= 0
        or max(top, bottom) <= 0
        or min(left, right) >= dataset.width
        or min(top, bottom) >= dataset.height
    ):
        raise _off_site()
    return float(grid.gsd * grid.width / max(abs(right - left), 1e-9))


def _bounds(grid: Grid) -> tuple[float, float, float, float]:
    return grid.left, grid.top - grid.height * grid.gsd, grid.left + grid.width * grid.gsd, grid.top


def _off_site() -> InvalidRequestError:
    return InvalidRequestError(
        "IMAGE_OFF_SITE", "the picture does not show the site: check its CRS and the order of its axes"
    )
