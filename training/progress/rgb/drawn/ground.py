"""Real ground for drawn pairs: aerial pictures of the USGS National Map, public domain, by way of UC Merced Land Use.

Only the pictures and the names of their folders are used; no mask of anything exists for them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]
"""[rows, columns, 3] RGB in 0..1."""

GSD_M = 0.3
"""Metres per pixel of the pictures."""
OPEN = ("agricultural", "chaparral", "forest", "golfcourse", "river", "beach", "baseballdiamond", "sparseresidential")
"""Folders of open land, on which things are built."""
BUILT_UP = ("buildings", "denseresidential", "mediumresidential", "mobilehomepark", "storagetanks")
"""Folders of places that are built all over."""
FIELDS = ("agricultural", "golfcourse", "chaparral")
"""Folders of what may look otherwise in another season."""
HELD_BACK = 10
"""Pictures of each folder that no network is fitted on: the last ones."""

_TILE = 256
_FROM_OPEN_LAND = 0.6


@dataclass(frozen=True)
class Ground:
    """Pictures by folder.

    Attributes:
        tiles: [256, 256, 3] RGB each.
    """

    tiles: dict[str, Sequence[NDArray[np.uint8]]]

    @classmethod
    def read(cls, folder: Path, *, held_back: bool = False) -> "Ground":
        """The pictures below UC Merced's folder.

        Args:
            folder: Of the set; one folder per kind of land in it.
            held_back: Whether those that no network is fitted on, and not the others.

        Raises:
            SystemExit: The set is not there.
        """
        kinds = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
        if not kinds:
            raise SystemExit(f"No pictures below {folder}: docs/training.md says where uc_merced comes from.")
        chosen = slice(-HELD_BACK, None) if held_back else slice(None, -HELD_BACK)
        return cls({kind.name: [_tile(path) for path in sorted(kind.iterdir())[chosen]] for kind in kinds})

    def place(self, size: int, gsd: float, rng: np.random.Generator) -> Picture:
        """A square of `size` pixels of one kind of land, put together from neighbouring pictures."""
        kinds = [kind for kind in OPEN if kind in self.tiles] if rng.random() < _FROM_OPEN_LAND else list(self.tiles)
        return self.of(kinds, size, gsd, rng)

    def of(self, kinds: Sequence[str], size: int, gsd: float, rng: np.random.Generator) -> Picture:
        """A square of `size` pixels of a kind of land out of some."""
        tiles = self.tiles[kinds[int(rng.integers(len(kinds)))]]
        side = max(8, round(_TILE * GSD_M / gsd))
        count = -(-size // side) + 1
        first = int(rng.integers(len(tiles)))  # neighbours in the folder are often neighbours on the ground
        rows = []
        for row in range(count):
            chosen = [tiles[(first + row * count + column) % len(tiles)] for column in range(count)]
            rows.append(np.hstack([_resized(_turned(tile, rng), side) for tile in chosen]))
        whole = np.vstack(rows)
        top, left = (int(rng.integers(0, length - size + 1)) for length in whole.shape[:2])
        return np.asarray(whole[top : top + size, left : left + size], np.float32) / np.float32(255)


def _tile(path: Path) -> NDArray[np.uint8]:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise SystemExit(f"Not a readable picture: {path.name} of uc_merced. Is the set complete?")
    return np.asarray(cv2.resize(picture[..., ::-1], (_TILE, _TILE)), np.uint8)


def _turned(tile: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    return np.rot90(tile[:, ::-1] if rng.random() < 0.5 else tile, int(rng.integers(4)))


def _resized(tile: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    how = cv2.INTER_AREA if side < _TILE else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(tile, (side, side), interpolation=how), np.uint8)
