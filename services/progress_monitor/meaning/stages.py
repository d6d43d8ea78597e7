"""The stages of a project, as the taxonomy names them."""

from enum import IntEnum


class Stage(IntEnum):
    """How far a project is, in order."""

    NOT_STARTED = 0
    CLEARING = 1
    FOUNDATION = 2
    STRUCTURE = 3
    ENVELOPE = 4
    COMPLETE = 5

    @property
    def id(self) -> str:
        """Id of the taxonomy."""
        return self.name.lower()
