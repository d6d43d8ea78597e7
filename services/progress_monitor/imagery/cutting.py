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
from services.progress_monitor.imagery.question import Layer, Question
from services.progress_monitor.imagery.sensors import BANDS, Calibration, Sensor, band_positions, calibration

_COARSER = 1.5
"""From how many times finer than the grid a picture is averaged, not sampled."""
_TOO_COARSE = 4.0
"""A picture whose pixels are this much larger than the grid's shows nothing of the site."""
_SATURATED_U16 = 65_535
_FINE_M = 1.0
"""Metres per pixel up to which a picture is worth a look on the finer grid."""
_MARGIN_PX = 16
"""Pixels of a picture around a site that resampling may read, and, below, as many cells of the grid."""
_MARGIN_CELLS = 4


@dataclass(frozen=True, slots=True)
class Chip:
    """A site in one picture.

    Attributes:
        reflectance: [6, rows, columns] of the grid; zero where there is none and in bands that are missing.
        bands: Which of `BANDS` are there.
        covered: Share of the grid that the picture covers.
        detail: RGB [3, rows, columns] of the question's finer grid, zero where there is none; None for a picture that
            is not fine enough or has its colours in several files, or of which none was asked.
    """

    reflectance: NDArray[np.float32]
    bands: tuple[bool, ...]
    covered: float
    detail: NDArray[np.uint8] | None = None


@dataclass(frozen=True, slots=True)
class _File:
    """A file that shows the site.

    Attributes:
        dataset: The file, opened.
        place: Where it lies.
        gsd: Metres per pixel about the site.
    """

    dataset: DatasetReader
    place: Place
    gsd: float


@dataclass(frozen=True, slots=True)
class _Band:
    """Where a picture has a band.

    Attributes:
        dataset: The file, opened.
        position: Of the band in it, from 0.
        calibrated: How its numbers become reflectance.
    """

    dataset: DatasetReader
    position: int
    calibrated: Calibration


def cut(datasets: Sequence[DatasetReader], question: Question) -> Chip:
    """Cuts a picture to a site's grid. Reads only the part that the grid needs, in windows.

    Args:
        datasets: The files of the question's layers, opened.
        question: The grid, and what is known of the picture.

    Raises:
        InvalidRequestError: IMAGE_NOT_PLACED, IMAGE_CORNERS_INVALID, IMAGE_OFF_SITE, IMAGE_TOO_COARSE, IMAGE_CORRUPT,
            BANDS_UNKNOWN, BANDS_MISMATCH or PIXELS_UNSUPPORTED.
    """
    found = _bands(datasets, question)
    used = [dataset for dataset in datasets if any(band is not None and band.dataset is dataset for band in found)]
    files = [_file(dataset, question) for dataset in used]
    reflectance = _reflectance(files, found, question.grid)
    covered = float((reflectance > 0).any(0).mean())
    if covered == 0:
        raise _off_site()
    return Chip(reflectance, tuple(band is not None for band in found), covered, _detail(files, found[:3], question))


def extents(dataset: DatasetReader, layer: Layer, question: Question) -> list[tuple[int, int]] | None:
    """Which bytes of a file `cut` reads beside its header: (start, end) of each block.

    The finer grid lies within the grid: it needs no others.

    Returns:
        None where the header does not say it: it is no TIFF, or is not there in full.

    Raises:
        InvalidRequestError: As `cut`.
    """
    grid = question.grid
    left, top, right, bottom = _window(_file(dataset, question).place, grid)
    margin = _MARGIN_PX + int(_MARGIN_CELLS * max((right - left) / grid.width, (bottom - top) / grid.height))
    columns = max(int(left) - margin, 0), min(int(right) + margin, dataset.width - 1)
    rows = max(int(top) - margin, 0), min(int(bottom) + margin, dataset.height - 1)
    needed: set[tuple[int, int]] = set()
    positions = band_positions(question.sensor, dataset.descriptions, layer.bands, partial=len(question.layers) > 1)
    alpha = [number for number, kind in enumerate(dataset.colorinterp) if kind.name == "alpha"]
    for position in {*(each for each in positions if each is not None), *alpha}:
        high, wide = dataset.block_shapes[position]
        for row in range(rows[0] // high, rows[1] // high + 1):
            for column in range(columns[0] // wide, columns[1] // wide + 1):
                start, size = (
                    dataset.get_tag_item(f"BLOCK_{what}_{column}_{row}", "TIFF", bidx=position + 1)
                    for what in ("OFFSET", "SIZE")
                )
                if start is None or size is None:
                    return None
                needed.add((int(start), int(start) + int(size)))
    return sorted(needed)


def _bands(datasets: Sequence[DatasetReader], question: Question) -> list[_Band | None]:
    """Where each of `BANDS` is."""
    found: list[_Band | None] = [None] * len(BANDS)
    several = len(question.layers) > 1
    for dataset, layer in zip(datasets, question.layers, strict=True):
        positions = band_positions(question.sensor, dataset.descriptions, layer.bands, partial=several)
        for number, position in enumerate(positions):
            if position is None or found[number] is not None:
                continue
            if layer.calibrations:
                calibrated = layer.calibrations[position]
            else:
                calibrated = calibration(question.sensor, dataset.dtypes[position], question.offset)
            found[number] = _Band(dataset, position, calibrated)
    return found


def _reflectance(files: Sequence[_File], found: Sequence[_Band | None], grid: Grid) -> NDArray[np.float32]:
    """Bands [n, rows, columns] of a grid; zero where there is no picture and in bands that are missing."""
    out = np.zeros((len(found), *grid.shape), np.float32)
    there = np.ones(grid.shape, bool)
    for file in files:
        dataset = file.dataset
        resampling = Resampling.average if file.gsd < grid.gsd / _COARSER else Resampling.cubic
        nodata = dataset.nodata if dataset.nodata is not None else 0
        there &= _visible(dataset, file.place, grid)
        for number, band in enumerate(found):
            if band is None or band.dataset is not dataset:
                continue
            numbers = _warped(dataset, file.place, grid, band.position + 1, resampling, nodata)
            known = np.isfinite(numbers)
            if dataset.dtypes[band.position] == "uint16":
                known &= numbers < _SATURATED_U16
            there &= known
            # Dark ground keeps a value of its own: zero stands for no picture.
            light = numbers * band.calibrated.scale + band.calibrated.offset
            out[number] = np.where(known, np.clip(light, 1e-4, 2.0), 0)
    out[:, ~there] = 0
    return out


def _detail(files: Sequence[_File], visible: Sequence[_Band | None], question: Question) -> NDArray[np.uint8] | None:
    """What a sub-metre picture shows on the question's finer grid."""
    if question.detail is None or question.sensor is not Sensor.RGB:
        return None
    for file in files:
        if file.gsd <= _FINE_M and all(band is not None and band.dataset is file.dataset for band in visible):
            light = _reflectance([file], visible, question.detail)[::-1]
            return np.where(light > 0, np.clip(np.round(light * 255), 1, 255), 0).astype(np.uint8)
    return None


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


def _file(dataset: DatasetReader, question: Question) -> _File:
    """A file that shows the site finely enough; an error for one that does not."""
    place, grid = place_of(dataset, question.corners), question.grid
    left, top, right, bottom = _window(place, grid)
    if right <= 0 or bottom <= 0 or left >= dataset.width or top >= dataset.height:
        raise _off_site()
    gsd = float(grid.gsd * grid.width / max(right - left, 1e-9))
    if gsd > _TOO_COARSE * grid.gsd:
        raise InvalidRequestError(
            "IMAGE_TOO_COARSE",
            f"the picture's pixels are {gsd / grid.gsd:.0f} times as large as the {grid.gsd:g} m that are compared",
        )
    return _File(dataset, place, gsd)


def _window(place: Place, grid: Grid) -> tuple[float, float, float, float]:
    """The grid in a picture's pixels: left, top, right, bottom."""
    try:
        west, south, east, north = transform_bounds(f"EPSG:{grid.epsg}", place.crs, *_bounds(grid))
    except RasterioError:
        raise _off_site() from None
    corners = [~place.transform * corner for corner in ((west, north), (east, north), (east, south), (west, south))]
    columns, rows = zip(*corners, strict=True)
    if not np.isfinite((*columns, *rows)).all():
        raise _off_site()
    return min(columns), min(rows), max(columns), max(rows)


def _bounds(grid: Grid) -> tuple[float, float, float, float]:
    return grid.left, grid.top - grid.height * grid.gsd, grid.left + grid.width * grid.gsd, grid.top


def _off_site() -> InvalidRequestError:
    return InvalidRequestError(
        "IMAGE_OFF_SITE", "the picture does not show the site: check its CRS and the order of its axes"
    )
