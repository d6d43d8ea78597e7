"""Where a project is, as pixels."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from services.progress_monitor.aoi import Aoi, parse_aoi
from services.progress_monitor.grid import Grid, detail_grid_of, grid_of

NEAR_M = 30.0
"""Ground beside a site that its own works may touch."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Which pixels of the grid are whose.

    Attributes:
        site: Inside the polygon.
        ring: Around it, at a distance that keeps its own works out.
    """

    site: NDArray[np.bool_]
    ring: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Site:
    """Where a project is, as pixels.

    Attributes:
        aoi: The polygon.
        grid: The raster on which pictures are compared.
        frame: Site and ring on it.
        detail: The finer raster for sub-metre pictures; None where the site is too large for it.
    """

    aoi: Aoi
    grid: Grid
    frame: Frame
    detail: Grid | None

    @classmethod
    def of(cls, geojson: str) -> "Site":
        """The site of a polygon.

        Raises:
            InvalidRequestError: As `parse_aoi`.
        """
        aoi = parse_aoi(geojson)
        grid = grid_of(aoi)
        near = grid.mask(shapely.buffer(aoi.metric, NEAR_M))
        return cls(aoi, grid, Frame(grid.mask(aoi.metric), ~near), detail_grid_of(aoi, grid))
