"""A raster cut into tiles that overlap, and put together again without seams."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

OVERLAP = 32
"""Pixels that neighbouring tiles share unless said; as wide as what a pixel's answer looks at on the 10 m grid."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile.

    Attributes:
        top: First row.
        left: First column.
        size: (rows, columns), both even.
    """

    top: int
    left: int
    size: tuple[int, int]

    def of(self, layers: NDArray[np.float32]) -> NDArray[np.float32]:
        """The tile's part of layers [n, rows, columns], its edge repeated where the raster ends before the tile."""
        rows, columns = self.size
        part = layers[:, self.top : self.top + rows, self.left : self.left + columns]
        short = (rows - part.shape[1], columns - part.shape[2])
        return np.pad(part, ((0, 0), (0, short[0]), (0, short[1])), mode="edge") if any(short) else part


def tiles(shape: tuple[int, int], side: int, overlap: int = OVERLAP) -> Iterator[Tile]:
    """Tiles that cover a raster.

    Args:
        shape: (rows, columns) of the raster.
        side: Rows and columns of a tile, even; smaller where the raster is smaller.
        overlap: Pixels that neighbouring tiles share.
    """
    sizes = (min(side, shape[0] + shape[0] % 2), min(side, shape[1] + shape[1] % 2))
    for top in _starts(shape[0], sizes[0], overlap):
        for left in _starts(shape[1], sizes[1], overlap):
            yield Tile(top, left, sizes)


class Mosaic:
    """Puts tiles together; where they overlap, each counts less towards its edge.

    Args:
        layers: Number of layers.
        shape: (rows, columns) of the raster.
        overlap: Pixels that neighbouring tiles share.
    """

    def __init__(self, layers: int, shape: tuple[int, int], overlap: int = OVERLAP) -> None:
        self._overlap = overlap
        self._sum = np.zeros((layers, *shape), np.float32)
        self._weight = np.zeros(shape, np.float32)

    def add(self, tile: Tile, values: NDArray[np.float32]) -> None:
        """Adds a tile's values [layers, rows, columns]."""
        rows = min(tile.size[0], self._sum.shape[1] - tile.top)
        columns = min(tile.size[1], self._sum.shape[2] - tile.left)
        weight = self._ramp(tile.size[0])[:rows, None] * self._ramp(tile.size[1])[None, :columns]
        place = (slice(tile.top, tile.top + rows), slice(tile.left, tile.left + columns))
        self._sum[:, place[0], place[1]] += values[:, :rows, :columns] * weight
        self._weight[place] += weight

    def blended(self) -> NDArray[np.float32]:
        """The whole raster [layers, rows, columns]."""
        return self._sum / self._weight

    def _ramp(self, length: int) -> NDArray[np.float32]:
        """Weights along an axis of a tile, falling towards its ends."""
        away = np.minimum(np.arange(length), np.arange(length)[::-1]) + 1.0
        return np.clip(away / self._overlap, 0.02, 1.0).astype(np.float32)


def _starts(length: int, side: int, overlap: int) -> list[int]:
    if length <= side:
        return [0]
    count = -(-(length - overlap) // (side - overlap))
    return sorted({min(number * (side - overlap), length - side + (length - side) % 2) for number in range(count)})
