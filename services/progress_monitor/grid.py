"""The raster on which all pictures of a site are compared."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rasterio.features import rasterize
from rasterio.transform import Affine
from shapely.geometry.base import BaseGeometry

from services.progress_monitor.aoi import Aoi

GSD_M = 10.0
"""Pixel of the grid, in metres: finer pictures are averaged, so that all sensors are compared on one raster."""
RING_M = 300.0
"""How far the grid reaches around the site."""
DETAIL_GSD_M = 0.5
"""Pixel of the finer grid on which sub-metre pictures are compared."""
DETAIL_RING_M = 60.0
"""How far the finer grid reaches around the site."""
MOST_DETAIL_PX = 9_000_000
"""Pixels of the largest finer grid: 27 MB a picture. Larger sites are judged on the 10 m grid alone."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A north-up raster in a UTM zone.

    Attributes:
        epsg: EPSG code of the zone.
        left: Easting of its left edge, in metres.
        top: Northing of its top edge, in metres.
        gsd: Metres per pixel.
        width: Columns, even.
        height: Rows, even.
    """

    epsg: int
    left: float
    top: float
    gsd: float
    width: int
    height: int

    @property
    def transform(self) -> Affine:
        """From (column, row) to metres."""
        return Affine(self.gsd, 0.0, self.left, 0.0, -self.gsd, self.top)

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.height, self.width

    def mask(self, geometry: BaseGeometry) -> NDArray[np.bool_]:
        """Pixels whose centre lies in a geometry given in the grid's metres."""
        if geometry.is_empty:
            return np.zeros(self.shape, bool)
        drawn: NDArray[np.uint8] = rasterize([geometry], out_shape=self.shape, transform=self.transform, dtype=np.uint8)
        return drawn.astype(bool)


def grid_of(aoi: Aoi) -> Grid:
    """The grid of a site and a ring around it, aligned to its own pixel size."""
    left, bottom, right, top = aoi.metric.bounds
    left, bottom, right, top = left - RING_M, bottom - RING_M, right + RING_M, top + RING_M
    step = 2 * GSD_M  # an even number of pixels, as the network wants
    left, top = math.floor(left / step) * step, math.ceil(top / step) * step
    width, height = math.ceil((right - left) / step) * 2, math.ceil((top - bottom) / step) * 2
    return Grid(aoi.epsg, left, top, GSD_M, width, height)


def detail_grid_of(aoi: Aoi, grid: Grid) -> Grid | None:
    """The finer grid of a site, whose pixels divide those of its grid; None where the site is too large for one."""
    left, bottom, right, top = aoi.metric.bounds
    columns = _cells(left - DETAIL_RING_M - grid.left, right + DETAIL_RING_M - grid.left)
    rows = _cells(grid.top - top - DETAIL_RING_M, grid.top - bottom + DETAIL_RING_M)
    times = round(GSD_M / DETAIL_GSD_M)
    width, height = len(columns) * times, len(rows) * times
    if width * height > MOST_DETAIL_PX:
        return None
    west, north = grid.left + columns.start * GSD_M, grid.top - rows.start * GSD_M
    return Grid(aoi.epsg, west, north, DETAIL_GSD_M, width, height)


def _cells(start: float, end: float) -> range:
    """Pixels of the 10 m grid that a stretch in metres from its edge touches."""
    return range(math.floor(start / GSD_M), math.ceil(end / GSD_M))
