"""A page as it is read: upright, without seals and specks, and level where lines are looked for."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from services.doc_extract.reading.ocr.levelling import Level
from services.doc_extract.reading.ocr.picture import Picture
from services.doc_extract.reading.ocr.seals import without_seals
from services.doc_extract.reading.ocr.specks import without_specks


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page made ready to be read.

    Attributes:
        picture: The upright page; lines are cut out of it, which samples them only once.
        turn: Quarter turns, clockwise, by which it was made upright.
        level: The page with its lines level; lines and rules are looked for there.
    """

    picture: Picture
    turn: int
    level: Level

    @classmethod
    def of(cls, image: Picture, turn: int, dpi: float) -> Self:
        """Turns a page and makes it ready.

        Args:
            image: As it came.
            turn: Quarter turns, clockwise, that make it upright.
            dpi: Its pixels to the inch.
        """
        picture = without_specks(without_seals(np.ascontiguousarray(np.rot90(image, -turn)), dpi), dpi)
        return cls(picture, turn, Level.of(picture))
