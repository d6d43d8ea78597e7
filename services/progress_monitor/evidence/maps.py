"""Maps that prove, for other systems: what each pixel has become as a GeoTIFF, buildings as GeoJSON."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.features import shapes
from rasterio.io import MemoryFile
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from services.progress_monitor.change.surfaces import BUILT, Surface
from services.progress_monitor.grid import Grid
from services.progress_monitor.projecting import projected

SMALLEST_M2 = 300.0
"""Area of the smallest piece that is called a building."""
_SEEN_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Dated:
    """What each pixel had become on a date.

    Attributes:
        time: Seconds since 1970.
        surfaces: The most probable `Surface` of each pixel.
        usable: Pixels that show the ground.
    """

    time: float
    surfaces: NDArray[np.uint8]
    usable: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Segment:
    """A building-like piece.

    Attributes:
        id: Number within the site, from 1, from north to south.
        outline: In the grid's metres.
        surface: What most of it has become.
        first_seen: First date on which at least half of it looked built, seconds since 1970.
    """

    id: int
    outline: BaseGeometry
    surface: Surface
    first_seen: float

    @property
    def area_m2(self) -> float:
        """Its area."""
        return float(self.outline.area)


def surfaces_cog(surfaces: NDArray[np.uint8], grid: Grid) -> bytes:
    """What each pixel has become, as a cloud-optimised GeoTIFF of numbers 0 to 6."""
    with MemoryFile() as memory:
        with memory.open(
            driver="COG",
            width=grid.width,
            height=grid.height,
            count=1,
            dtype="uint8",
            crs=f"EPSG:{grid.epsg}",
            transform=grid.transform,
        ) as file:
            file.write(surfaces, 1)
            file.set_band_description(1, ", ".join(f"{each.value} {each.name.lower()}" for each in Surface))
        return bytes(memory.read())


def segments(dates: Sequence[Dated], grid: Grid, site: NDArray[np.bool_]) -> list[Segment]:
    """Building-like pieces on the last of some dates.

    Args:
        dates: In order of time; at least one.
        grid: The raster.
        site: Pixels of the site.
    """
    last = dates[-1]
    built = np.isin(last.surfaces, BUILT) & site & last.usable
    found = []
    for geometry, _ in shapes(built.astype(np.uint8), mask=built, transform=grid.transform):
        outline = shape(geometry)
        if outline.area >= SMALLEST_M2:
            found.append(outline)
    found.sort(key=lambda outline: -outline.centroid.y)
    return [_segment(number, outline, dates, grid) for number, outline in enumerate(found, 1)]


def segments_geojson(found: Sequence[Segment], grid: Grid) -> bytes:
    """Building-like pieces as a GeoJSON FeatureCollection in WGS 84."""
    features: list[dict[str, Any]] = [
        {
            "type": "Feature",
            "id": each.id,
            "geometry": mapping(projected(each.outline, grid.epsg, 4326)),
            "properties": {
                "id": each.id,
                "surface": each.surface.name.lower(),
                "area_m2": round(each.area_m2),
                "first_seen": time.strftime("%Y-%m-%d", time.gmtime(each.first_seen)),
            },
        }
        for each in found
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def _segment(number: int, outline: BaseGeometry, dates: Sequence[Dated], grid: Grid) -> Segment:
    mask = grid.mask(outline)
    first = dates[-1].time
    for date in reversed(dates):
        shown = mask & date.usable
        if not shown.any():
            continue
        if np.isin(date.surfaces[shown], BUILT).mean() < _SEEN_SHARE:
            break
        first = date.time
    most = np.bincount(dates[-1].surfaces[mask], minlength=len(Surface)).argmax()
    return Segment(number, outline, Surface(int(most)), first)
