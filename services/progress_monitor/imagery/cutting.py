"""A picture cut to a site's grid, as reflectance in the service's bands."""

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
from services.progress_monitor.imagery.sensors import BANDS, band_positions, calibration

_COARSER = 1.5
"""A picture whose pixels are this much smaller than the grid's is averaged, not sampled."""
_TOO_COARSE = 4.0
"""A picture whose pixels are this much larger than the grid's shows nothing of the site."""
_SATURATED_U16 = 65_535


@dataclass(frozen=True, slots=True)
class Chip:
    """A site in one picture.

    Attributes:
        reflectance: [6, rows, columns] of the grid; zero where there is none and in bands that are missing.
        bands: Which of `BANDS` are there.
        covered: Share of the grid that the picture covers.
    """

    reflectance: NDArray[np.float32]
    bands: tuple[bool, ...]
    covered: float


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
    resampling = _resampling(dataset, place, grid)
    nodata = dataset.nodata if dataset.nodata is not None else 0
    out = np.zeros((len(BANDS), *grid.shape), np.float32)
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
    covered = float(there.mean())
    if covered == 0:
        raise _off_site()
    return Chip(out, tuple(position is not None for position in positions), covered)


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


def _resampling(dataset: DatasetReader, place: Place, grid: Grid) -> Resampling:
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
    per_pixel = grid.width / max(abs(right - left), 1e-9)  # pixels of the grid for one of the picture
    if per_pixel > _TOO_COARSE:
        raise InvalidRequestError(
            "IMAGE_TOO_COARSE",
            f"the picture's pixels are {per_pixel:.0f} times as large as the {grid.gsd:g} m that are compared",
        )
    return Resampling.average if per_pixel < 1 / _COARSER else Resampling.cubic


def _bounds(grid: Grid) -> tuple[float, float, float, float]:
    return grid.left, grid.top - grid.height * grid.gsd, grid.left + grid.width * grid.gsd, grid.top


def _off_site() -> InvalidRequestError:
    return InvalidRequestError(
        "IMAGE_OFF_SITE", "the picture does not show the site: check its CRS and the order of its axes"
    )
