"""What a change model says of each pixel."""

from enum import IntEnum


class Surface(IntEnum):
    """What a pixel has become since the reference: the classes of the change models, in their order."""

    AS_BEFORE = 0
    CLEARED = 1
    FOUNDATION = 2
    STRUCTURE = 3
    COVERED = 4
    PAVED = 5
    HIDDEN = 6


CHANGED = (Surface.CLEARED, Surface.FOUNDATION, Surface.STRUCTURE, Surface.COVERED, Surface.PAVED)
"""What counts as change."""
BUILT = (Surface.FOUNDATION, Surface.STRUCTURE, Surface.COVERED)
"""What counts as a building or its beginning."""
