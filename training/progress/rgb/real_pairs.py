"""Real pairs of pictures with masks of change: three research sets, for evaluation only.

Their labels are free for research alone (`SOURCE.md` of each set says under what terms): no network that was fitted
to them is shipped.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

SZTAKI_SCENES = {
    "Szada": {"2": "szada-west", "3": "szada-west", "4": "szada-west", "6": "szada-east"},
    "Tiszadob": dict.fromkeys("1245", "tiszadob"),
}
"""Scenes of the pictures that show partly the same ground, so that none is tested on ground it was fitted to."""


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Two registered pictures of one place.

    Attributes:
        name: Unique in its set.
        scene: Pairs that share ground share it.
        before: [rows, columns, 3] RGB.
        after: [rows, columns, 3] RGB.
        mask: [rows, columns], 1 where something changed, else 0.
    """

    name: str
    scene: str
    before: NDArray[np.uint8]
    after: NDArray[np.uint8]
    mask: NDArray[np.uint8]


def sztaki_airchange(root: Path) -> Iterator[Pair]:
    """Aerial pictures of 1.5 m: buildings, earthworks, planting, fresh ploughing (Benedek and Sziranyi, 2009)."""
    for city, scenes in SZTAKI_SCENES.items():
        for folder in sorted((root / "sztaki_airchange" / city).iterdir()):
            number = folder.name
            scene = scenes.get(number, f"{city}-{number}".lower())
            yield _pair(f"{city}/{number}", scene, folder / "im1.jpg", folder / "im2.jpg", folder / "gt.png")


def fotbcd(root: Path) -> Iterator[Pair]:
    """French orthophotos of 0.2 m: buildings that came or went (FOTBCD-Binary, 2026)."""
    for mask in sorted((root / "fotbcd").glob("*/*_mask.png")):
        number = mask.name.removesuffix("_mask.png")
        before, after = (mask.with_name(f"{number}_{date}.jpg") for date in ("before", "after"))
        yield _pair(number, number, before, after, mask)


def egy_bcd(root: Path) -> Iterator[Pair]:
    """Google Earth pictures of New Cairo of 0.25 m: buildings (Holail et al., EGY-BCD, 2023)."""
    for mask in sorted((root / "egy_bcd").glob("*/label/*.png")):
        part = mask.parent.parent
        yield _pair(mask.stem, mask.stem, part / "A" / mask.name, part / "B" / mask.name, mask)


SETS: dict[str, Callable[[Path], Iterator[Pair]]] = {
    "sztaki_airchange": sztaki_airchange,
    "fotbcd": fotbcd,
    "egy_bcd": egy_bcd,
}


def _pair(name: str, scene: str, before: Path, after: Path, mask: Path) -> Pair:
    return Pair(name, scene, _rgb(before), _rgb(after), (_read(mask, cv2.IMREAD_GRAYSCALE) > 127).astype(np.uint8))


def _rgb(path: Path) -> NDArray[np.uint8]:
    return np.ascontiguousarray(_read(path, cv2.IMREAD_COLOR)[..., ::-1])


def _read(path: Path, flags: int) -> NDArray[np.uint8]:
    picture = cv2.imread(str(path), flags)
    if picture is None:
        raise SystemExit(f"Not a readable picture: {path}. Is the data set complete below the folder given as --data?")
    return np.asarray(picture, np.uint8)
