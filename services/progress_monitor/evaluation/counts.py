"""Pixels by what was said of them and what is true."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class PixelCounts:
    """How well changed pixels are found; the shares are 0 where nothing was found or nothing has changed.

    Attributes:
        right: Changed, and found.
        wrong: Found, and not changed.
        missed: Changed, and not found.
    """

    right: int = 0
    wrong: int = 0
    missed: int = 0

    @classmethod
    def of(cls, found: NDArray[np.bool_], changed: NDArray[np.bool_]) -> "PixelCounts":
        """Counts pixels, [rows, columns] each."""
        return cls(int((found & changed).sum()), int((found & ~changed).sum()), int((~found & changed).sum()))

    def __add__(self, other: "PixelCounts") -> "PixelCounts":
        return PixelCounts(self.right + other.right, self.wrong + other.wrong, self.missed + other.missed)

    @property
    def precision(self) -> float:
        """Of the pixels found, those that have changed."""
        return self.right / max(1, self.right + self.wrong)

    @property
    def recall(self) -> float:
        """Of the pixels that have changed, those found."""
        return self.right / max(1, self.right + self.missed)

    @property
    def f1(self) -> float:
        """Of precision and recall."""
        return 2 * self.right / max(1, 2 * self.right + self.wrong + self.missed)

    @property
    def iou(self) -> float:
        """Right over right, wrong and missed."""
        return self.right / max(1, self.right + self.wrong + self.missed)
