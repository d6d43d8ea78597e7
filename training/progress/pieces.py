"""What each pixel of a simulated site truly is on a day: whose building, and how far that has come there."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import shapely
from numpy.typing import NDArray

from training.progress.simulator.layout import Building, Layout
from training.progress.simulator.schedule import PHASES, Schedule

_CLEARED_BY = 0.10
"""Share of the working time after which the whole site is bare."""
_EDGE_M, _APART_M = 4.0, 7.0
"""How far inside a building a pixel is all its own, and how far outside it is free of it."""
_SAMPLE_M = 3.0
_NO_BUILDING, _MIXED = -1, -2


class Piece(IntEnum):
    """What a pixel is: what looks otherwise is another piece."""

    UNKNOWN = -1
    AS_BEFORE = 0
    CLEARED = 1
    PIT = 2
    SLAB = 3
    FRAME = 4
    ROOF = 5


@dataclass(frozen=True, slots=True)
class Pieces:
    """The pixels of a site.

    Attributes:
        building: Number of each pixel's building; negative outside and at the edges.
        along: Share of its building that is built before it.
    """

    building: NDArray[np.int64]
    along: NDArray[np.float64]

    @classmethod
    def of(cls, layout: Layout, x: NDArray[np.float64], y: NDArray[np.float64]) -> "Pieces":
        """The pixels with their centres at these metres of the layout."""
        points = shapely.points(x, y)
        building, along = np.full(len(x), _NO_BUILDING), np.zeros(len(x))
        for number, each in enumerate(layout.buildings):
            near = shapely.contains(shapely.buffer(each.outline, _APART_M), points)
            building[near & (building == _NO_BUILDING)] = _MIXED
            inside = shapely.contains(shapely.buffer(each.outline, -_EDGE_M), points)
            building[inside] = number
            along[inside] = _rank(each, x[inside], y[inside])
        return cls(building, along)

    def on(self, day: float, schedule: Schedule) -> NDArray[np.int8]:
        """The `Piece` of each pixel on a day."""
        clock = schedule.clock(day)
        if clock < _CLEARED_BY:
            return np.full(len(self.building), Piece.AS_BEFORE if clock <= 0 else Piece.UNKNOWN, np.int8)
        found = np.full(len(self.building), Piece.UNKNOWN, np.int8)
        if clock < schedule.paved_from:
            found[self.building == _NO_BUILDING] = Piece.CLEARED
        for number, work in enumerate(schedule.works):
            mine = self.building == number
            time = work.time(clock)
            reached = [float(np.clip((time - begin) / (end - begin), 0, 1)) for begin, end in PHASES]
            borders = (
                (Piece.PIT, 1.6 * reached[1]),
                (Piece.SLAB, reached[1]),
                (Piece.FRAME, reached[2]),
                (Piece.ROOF, reached[3]),
            )
            found[mine] = Piece.CLEARED
            for piece, border in borders:
                found[mine & (self.along < min(1.0, border))] = piece
        return found


def _rank(building: Building, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    left, top, right, bottom = building.outline.bounds
    steps = (np.arange(left, right, _SAMPLE_M) + _SAMPLE_M / 2, np.arange(top, bottom, _SAMPLE_M) + _SAMPLE_M / 2)
    sample_x, sample_y = (axis.ravel() for axis in np.meshgrid(*steps))
    inside = shapely.contains_xy(building.outline, sample_x, sample_y)
    (along_x, along_y) = building.along
    ranks = np.sort((sample_x * along_x + sample_y * along_y)[inside])
    return np.asarray(np.searchsorted(ranks, x * along_x + y * along_y) / max(1, len(ranks)))
