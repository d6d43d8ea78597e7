"""Maps that prove, for other systems: what each pixel has become as a GeoTIFF, buildings as GeoJSON."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.features import rasterize, shapes
from rasterio.io import MemoryFile
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from services.progress_monitor.change.surfaces import BUILT, Surface
from services.progress_monitor.grid import GSD_M, Grid
from services.progress_monitor.projecting import projected

SMALLEST_M2 = 300.0
"""Area of the smallest piece that is called a building on the 10 m grid."""
SMALLEST_DETAIL_M2 = 25.0
"""The same on the finer grid."""
_SEEN_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Dated:
    """What each pixel had become on a date.

    Attributes:
        time: Seconds since 1970.
        surfaces: The most probable `Surface` of each pixel.
        usable: Pixels that show the ground.
        grid: The raster of both.
    """

    time: float
    surfaces: NDArray[np.uint8]
    usable: NDArray[np.bool_]
    grid: Grid


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


class Pieces:
    """Building-like pieces on a date, followed back in time.

    Args:
        last: The date.
        site: The polygon in the grid's metres.
    """

    def __init__(self, last: Dated, site: BaseGeometry) -> None:
        built = np.isin(last.surfaces, BUILT) & last.grid.mask(site) & last.usable
        smallest = SMALLEST_M2 if last.grid.gsd >= GSD_M else SMALLEST_DETAIL_M2
        drawn = shapes(built.astype(np.uint8), mask=built, transform=last.grid.transform)
        outlines = [outline for outline in (shape(geometry) for geometry, _ in drawn) if outline.area >= smallest]
        self._outlines = sorted(outlines, key=lambda outline: -outline.centroid.y)
        self._first = [last.time] * len(outlines)
        self._standing = np.ones(len(outlines), bool)
        numbers = _numbered(self._outlines, last.grid)
        counts = [np.bincount(numbers[last.surfaces == kind], minlength=len(outlines) + 1)[1:] for kind in Surface]
        self._surfaces = np.argmax(counts, axis=0)

    @property
    def followed(self) -> bool:
        """Whether an earlier date could still tell anything."""
        return bool(self._standing.any())

    def look_back(self, date: Dated) -> None:
        """Goes on with the date before the last one that was looked at."""
        numbers = _numbered(self._outlines, date.grid)
        shown, built = (
            np.bincount(numbers[mask], minlength=len(self._outlines) + 1)[1:]
            for mask in (date.usable, date.usable & np.isin(date.surfaces, BUILT))
        )
        self._standing &= (shown == 0) | (built >= _SEEN_SHARE * shown)
        for number in np.flatnonzero(self._standing & (shown > 0)):
            self._first[number] = date.time

    def segments(self) -> list[Segment]:
        """The pieces, with the dates on which they were first seen."""
        found = zip(self._outlines, self._surfaces, self._first, strict=True)
        return [Segment(number, line, Surface(int(kind)), first) for number, (line, kind, first) in enumerate(found, 1)]


def _numbered(outlines: Sequence[BaseGeometry], grid: Grid) -> NDArray[np.int32]:
    """The number, from 1, of the outline in which each pixel's centre lies; zero outside."""
    if not outlines:
        return np.zeros(grid.shape, np.int32)
    numbers: NDArray[np.int32] = rasterize(
        zip(outlines, range(1, len(outlines) + 1), strict=True),
        out_shape=grid.shape,
        transform=grid.transform,
        dtype=np.int32,
    )
    return numbers


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
