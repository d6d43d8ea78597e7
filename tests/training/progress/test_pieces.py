import numpy as np
import shapely

from training.progress.pieces import Piece, Pieces
from training.progress.simulator.layout import Building, Layout
from training.progress.simulator.schedule import Schedule, Work

HALL = Building(shapely.box(-50, -20, 50, 20), (1.0, 0.0), 9.0, 0)
LAYOUT = Layout(shapely.box(-100, -60, 100, 60), [HALL], shapely.Polygon(), 640.0)
SCHEDULE = Schedule(100.0, 200.0, [Work(4000.0, 0.0, 1.0)], 0.6)


def on(clock: float) -> list[int]:
    """Pieces at the hall's both ends, on its edge, and on free ground."""
    x, y = np.array((-40.0, 40.0, 50.0, 80.0)), np.array((0.0, 0.0, 0.0, 40.0))
    return [int(each) for each in Pieces.of(LAYOUT, x, y).on(100.0 + 200.0 * clock, SCHEDULE)]


def test_a_hall_is_built_from_one_end_to_the_other() -> None:
    assert on(-0.1) == [Piece.AS_BEFORE] * 4
    assert on(0.05) == [Piece.UNKNOWN] * 4  # nobody knows how far the ground is cleared
    assert on(0.2) == [Piece.SLAB, Piece.CLEARED, Piece.UNKNOWN, Piece.CLEARED]
    assert on(0.5) == [Piece.FRAME, Piece.SLAB, Piece.UNKNOWN, Piece.CLEARED]
    assert on(0.8) == [Piece.ROOF, Piece.FRAME, Piece.UNKNOWN, Piece.UNKNOWN]
    assert on(1.0) == [Piece.ROOF, Piece.ROOF, Piece.UNKNOWN, Piece.UNKNOWN]
