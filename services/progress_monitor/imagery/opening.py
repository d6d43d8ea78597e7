"""Opening a picture that nobody vouches for: its header is read and judged before any pixel.

Only GeoTIFF, PNG and JPEG are opened, each by its own driver: a VRT that is named .tif would read other files.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from rasterio.control import GroundControlPoint
from rasterio.crs import CRS
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.io import DatasetReader
from rasterio.transform import Affine, from_gcps
from shapely import Polygon

from bankai.errors import InvalidRequestError
from services.progress_monitor.imagery.limits import ImageLimits

_DRIVERS = (
    ((b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"), "GTiff"),
    ((b"\x89PNG\r\n\x1a\n",), "PNG"),
    ((b"\xff\xd8\xff",), "JPEG"),
)
_ENVIRONMENT = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",  # no side files
    "GDAL_PAM_ENABLED": "NO",
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
    "GDAL_TIFF_INTERNAL_MASK": "YES",
    "GDAL_CACHEMAX": 64,
}
_LEAST_AREA = 1e-12
"""Square degrees that a picture's corners span at least: about 1 dm²."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a picture lies.

    Attributes:
        crs: Its coordinate system.
        transform: From (column, row) to the system's coordinates.
    """

    crs: CRS
    transform: Affine


@dataclass(frozen=True, slots=True)
class Corners:
    """Corners that a caller gives a picture without a place of its own, in WGS 84 (longitude, latitude).

    Attributes:
        top_left: Of the first pixel's outer corner; the others clockwise.
        top_right: Next.
        bottom_right: Next.
        bottom_left: Last.
    """

    top_left: tuple[float, float]
    top_right: tuple[float, float]
    bottom_right: tuple[float, float]
    bottom_left: tuple[float, float]


@contextmanager
def opened(path: Path, limits: ImageLimits) -> Iterator[DatasetReader]:
    """A picture whose header is within the limits.

    Raises:
        InvalidRequestError: IMAGE_EMPTY, IMAGE_TYPE_UNSUPPORTED, IMAGE_CORRUPT or IMAGE_TOO_LARGE.
    """
    driver = _driver(path, limits)
    with rasterio.Env(**_ENVIRONMENT), warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # the caller may know the place
        try:
            dataset = rasterio.open(path, driver=driver)
        except (RasterioError, OSError, ValueError):
            raise corrupt() from None
        with dataset:
            _check_header(dataset, limits)
            yield dataset


def place_of(dataset: DatasetReader, corners: Corners | None) -> Place:
    """Where an opened picture lies.

    Args:
        dataset: The picture.
        corners: What the caller says; used where the file says nothing.

    Raises:
        InvalidRequestError: IMAGE_NOT_PLACED or IMAGE_CORNERS_INVALID.
    """
    if dataset.crs is not None and dataset.transform != Affine.identity():
        return Place(dataset.crs, dataset.transform)
    gcps, gcp_crs = dataset.gcps
    if gcps and gcp_crs:
        return Place(gcp_crs, from_gcps(gcps))
    if corners is None:
        raise InvalidRequestError(
            "IMAGE_NOT_PLACED", "the picture does not say where it lies: send a GeoTIFF with its CRS, or the corners"
        )
    wide, high = dataset.width, dataset.height
    ends = ((0, 0, corners.top_left), (0, wide, corners.top_right), (high, wide, corners.bottom_right))
    points = [GroundControlPoint(row, col, *place) for row, col, place in (*ends, (high, 0, corners.bottom_left))]
    if not all(abs(x) <= 180 and abs(y) <= 90 for point in points for x, y in ((point.x, point.y),)):
        raise InvalidRequestError("IMAGE_CORNERS_INVALID", "the corners must be (longitude, latitude) in degrees")
    # By the corners, not by the transform: what a fit to corners without an area gives differs from machine to machine.
    if not Polygon([(point.x, point.y) for point in points]).area > _LEAST_AREA:
        raise InvalidRequestError("IMAGE_CORNERS_INVALID", "the corners must span an area")
    return Place(CRS.from_epsg(4326), from_gcps(points))


def corrupt() -> InvalidRequestError:
    """The error for a picture that cannot be decoded."""
    return InvalidRequestError("IMAGE_CORRUPT", "the picture is damaged or cut short: send it again")


def _driver(path: Path, limits: ImageLimits) -> str:
    size = path.stat().st_size
    if size == 0:
        raise InvalidRequestError("IMAGE_EMPTY", "the picture is empty: send its bytes")
    if size > limits.max_bytes:
        raise InvalidRequestError("IMAGE_TOO_LARGE", f"the picture is larger than {limits.max_bytes} bytes: cut it")
    with path.open("rb") as file:
        head = file.read(16)
    for magics, driver in _DRIVERS:
        if head.startswith(magics):
            return driver
    raise InvalidRequestError("IMAGE_TYPE_UNSUPPORTED", "the picture is none of GeoTIFF, PNG and JPEG (by its content)")


def _check_header(dataset: DatasetReader, limits: ImageLimits) -> None:
    """Refuses what decoding would cost too much for, by what the header declares."""
    count, width, height = dataset.count, dataset.width, dataset.height
    itemsize = max((np.dtype(kind).itemsize for kind in dataset.dtypes), default=0)
    if count == 0 or itemsize == 0:
        raise corrupt()
    rows, columns = dataset.block_shapes[0]
    interleaved = count if dataset.profile.get("interleave") == "pixel" else 1
    block = rows * columns * itemsize * interleaved
    faults = {
        f"{count} bands, more than {limits.max_bands}": count > limits.max_bands,
        f"a side of {max(width, height)} pixels, more than {limits.max_side}": max(width, height) > limits.max_side,
        f"{width * height * count} pixels in all, more than {limits.max_pixels}": width * height * count
        > limits.max_pixels,
        f"blocks of {block} bytes, more than {limits.max_block_bytes}": block > limits.max_block_bytes,
    }
    for fault, present in faults.items():
        if present:
            raise InvalidRequestError("IMAGE_TOO_LARGE", f"the picture declares {fault}: cut it to the site")
