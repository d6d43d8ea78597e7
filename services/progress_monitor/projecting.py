"""Geometries from one coordinate system to another."""

from typing import TypeVar

import pyproj
import shapely
from shapely.geometry.base import BaseGeometry

Shape = TypeVar("Shape", bound=BaseGeometry)


def projected(geometry: Shape, source: pyproj.CRS | int, target: pyproj.CRS | int) -> Shape:
    """A geometry in another coordinate system; first coordinates are eastings or longitudes, whatever the systems say.

    Args:
        geometry: In `source`.
        source: Its system, or the system's EPSG code.
        target: The wanted one.
    """
    move = pyproj.Transformer.from_crs(source, target, always_xy=True).transform
    return shapely.transform(geometry, move, interleaved=False)  # type: ignore[arg-type]  # its stubs know one array
