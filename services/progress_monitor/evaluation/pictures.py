"""Pictures of evaluation sets as arrays: GeoTIFF or image, with or without a place, one file or several per date."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader

from bankai.errors import InvalidRequestError
from bankai.evaluation.inputs import BadInputError
from services.progress_monitor.imagery.cutting import Chip
from services.progress_monitor.imagery.limits import ImageLimits
from services.progress_monitor.imagery.opening import opened
from services.progress_monitor.imagery.sensors import BANDS, Sensor, band_positions, calibration


def read_date(files: Sequence[Path], sensor: Sensor | None = None, shape: tuple[int, int] | None = None) -> Chip:
    """A date's picture on its own pixels.

    Args:
        files: One file, or one for each resolution of its bands.
        sensor: Where it comes from; None to tell by its bands.
        shape: (rows, columns) to bring it to; None for those of the finest file.

    Raises:
        BadInputError: A file cannot be read.
    """
    layers: dict[int, NDArray[np.float32]] = {}
    size = shape
    for file in sorted(files, key=_coarseness):
        pixels = _bands(file, sensor)
        size = size or next(iter(pixels.values())).shape[:2]
        for band, layer in pixels.items():
            fitted = layer if layer.shape == size else cv2.resize(layer, size[::-1], interpolation=cv2.INTER_LINEAR)
            layers.setdefault(band, fitted.astype(np.float32))
    if size is None or not layers:
        raise BadInputError(files[0], None, "holds no band that is known")
    blank = np.zeros(size, np.float32)
    reflectance = np.stack([layers.get(band, blank) for band in range(len(BANDS))])
    there = tuple(band in layers for band in range(len(BANDS)))
    covered = (reflectance[list(there)] > 0).all(0)
    return Chip(np.where(covered, reflectance, 0).astype(np.float32), there, float(covered.mean()))


def _coarseness(file: Path) -> tuple[int, str]:
    """Finer files first: a band that lies in several is taken from the finest."""
    with opened_picture(file) as dataset:
        return -dataset.width * dataset.height, file.name


@contextmanager
def opened_picture(file: Path) -> Iterator[DatasetReader]:
    """An opened picture.

    Raises:
        BadInputError: It cannot be read, here or within the context.
    """
    try:
        with opened(file, ImageLimits()) as dataset:
            yield dataset
    except InvalidRequestError as error:
        raise BadInputError(file, None, error.message) from None
    except RasterioError:
        raise BadInputError(file, None, "is damaged or cut short") from None
    except OSError as error:
        raise BadInputError(file, None, f"cannot be read ({error.strerror})") from None


def probable_sensor(dataset: DatasetReader) -> Sensor:
    """What a picture without a sensor's name most probably comes from."""
    eight_bit = dataset.count <= 4 and dataset.dtypes[0] == "uint8"
    return Sensor.RGB if eight_bit else Sensor.SENTINEL2_L2A


def _bands(file: Path, sensor: Sensor | None) -> dict[int, NDArray[np.float32]]:
    """Reflectance by position in `BANDS` of what one file holds."""
    with opened_picture(file) as dataset:
        kind = sensor or probable_sensor(dataset)
        numbers = calibration(kind, dataset.dtypes[0], None)
        found = {}
        for band, position in enumerate(band_positions(kind, dataset.descriptions, (), partial=True)):
            if position is None:
                continue
            raw = dataset.read(position + 1).astype(np.float32)
            light = np.clip(raw * numbers.scale + numbers.offset, 1e-4, 2.0)
            missing = raw == dataset.nodata if dataset.nodata is not None else np.zeros(raw.shape, bool)
            found[band] = np.where(missing, 0, light).astype(np.float32)
        return found
