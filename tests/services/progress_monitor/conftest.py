from pathlib import Path

import cv2
import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.transform import from_origin

from services.progress_monitor.aoi import Aoi, parse_aoi

RING = "[[114.10,30.50],[114.105,30.50],[114.105,30.504],[114.10,30.504],[114.10,30.50]]"
SQUARE = f'{{"type":"Polygon","coordinates":[{RING}]}}'
NAMES = ("B02", "B03", "B04", "B08", "B11", "B12")


@pytest.fixture
def aoi() -> Aoi:
    return parse_aoi(SQUARE)


def countryside(seed: int, size: int = 160) -> NDArray[np.float32]:
    """Reflectance [6, size, size] of patches with edges, as fields have them."""
    rng = np.random.default_rng(seed)
    lumps = cv2.resize(rng.normal(size=(size // 8, size // 8)), (size, size), interpolation=cv2.INTER_CUBIC)
    field = np.digitize(lumps, np.linspace(-2, 2, 12))
    patches = rng.uniform(0.05, 0.4, (6, 13))[:, field]
    return np.clip(patches + rng.normal(0, 0.005, patches.shape), 0.005, 1).astype(np.float32)


def write_tiff(  # noqa: PLR0917
    path: Path,
    pixels: NDArray[np.generic],
    aoi: Aoi,
    gsd: float = 10.0,
    names: tuple[str, ...] | None = NAMES,
    epsg: int | None = None,
    **profile: object,
) -> Path:
    """A GeoTIFF whose centre is the site's."""
    count, rows, columns = pixels.shape
    centre = aoi.metric.centroid
    place = from_origin(centre.x - columns * gsd / 2, centre.y + rows * gsd / 2, gsd, gsd)
    options = {"crs": f"EPSG:{epsg or aoi.epsg}", "transform": place} | profile
    with rasterio.open(
        path, "w", driver="GTiff", count=count, height=rows, width=columns, dtype=pixels.dtype, **options
    ) as file:
        file.write(pixels)
        if names:
            file.descriptions = names[:count]
    return path


def numbers(reflectance: NDArray[np.float32]) -> NDArray[np.uint16]:
    return np.round(reflectance * 10_000).astype(np.uint16)
