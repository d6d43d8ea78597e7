"""A square of ground as pixels: polygons in metres become masks."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

Mask = NDArray[np.bool_]
Field = NDArray[np.float32]

_SHIFT = 4
"""Fractional bits of OpenCV's vertices."""


@dataclass(frozen=True, slots=True)
class Canvas:
    """A square raster with its centre at the origin.

    Attributes:
        extent: Side, in metres.
        gsd: Metres per pixel.
    """

    extent: float
    gsd: float

    @property
    def size(self) -> int:
        """Pixels of a side."""
        return round(self.extent / self.gsd)

    def mask(self, shape: BaseGeometry) -> Mask:
        """Pixels inside a polygon or several, their holes left out."""
        filled = np.zeros((self.size, self.size), np.uint8)
        for polygon in _polygons(shape):
            cv2.fillPoly(filled, [self._vertices(polygon.exterior.coords)], 1, shift=_SHIFT)
            for hole in polygon.interiors:
                cv2.fillPoly(filled, [self._vertices(hole.coords)], 0, shift=_SHIFT)
        return filled.astype(bool)

    def coordinates(self) -> tuple[Field, Field]:
        """Metres (x, y) of every pixel's centre."""
        line = ((np.arange(self.size, dtype=np.float32) + 0.5) * self.gsd - self.extent / 2).astype(np.float32)
        x, y = np.meshgrid(line, line)
        return x, y

    def noise(self, rng: np.random.Generator, scale: float, octaves: int = 3) -> Field:
        """Smooth noise of mean 0 and deviation 1.

        Args:
            rng: Source of chance.
            scale: Size of its largest lumps, in metres.
            octaves: Number of layers, each half as large and half as strong as the one before.
        """
        total = np.zeros((self.size, self.size), np.float32)
        for octave in range(octaves):
            cells = max(2, int(np.ceil(self.extent / scale * 2**octave)))
            if cells > self.size:
                break
            coarse = rng.normal(size=(cells + 2, cells + 2)).astype(np.float32)
            total += cv2.resize(coarse, (self.size, self.size), interpolation=cv2.INTER_CUBIC) * 0.5**octave
        return (total - total.mean()) / max(float(total.std()), 1e-6)

    def _vertices(self, coords: object) -> NDArray[np.int32]:
        points = (np.asarray(coords, np.float64)[:, :2] + self.extent / 2) / self.gsd - 0.5
        return np.round(points * 2**_SHIFT).astype(np.int32)


def _polygons(shape: BaseGeometry) -> list[Polygon]:
    if isinstance(shape, Polygon):
        return [shape] if not shape.is_empty else []
    return [polygon for part in getattr(shape, "geoms", ()) for polygon in _polygons(part)]
