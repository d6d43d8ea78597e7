"""Co-registration to sub-pixel: how far a picture is displaced and turned against the reference.

Phase correlation (Kuglin and Hines, 1975) finds the whole shift, enhanced correlation coefficient maximisation
(Evangelidis and Psarakis, 2008) the rest and the turn. Both look at edges, which stay where fields change colour.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Layer = NDArray[np.float32]
Mask = NDArray[np.bool_]

MIN_QUALITY = 0.18
"""Correlation of the aligned edges below which an alignment is not believed."""
MAX_SHIFT_PX = 12.0
"""Longest believable shift, in pixels of the grid."""
MAX_TURN_DEG = 2.0
"""Largest believable turn."""

_TURNS = (0.0, -0.5, 0.5, -1.0, 1.0)
"""Turns, in degrees, from which the fine search starts; more only where the ones before failed."""
_SURE = 0.5
_FEWEST = 400
_ITERATIONS = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 60, 1e-5)


@dataclass(frozen=True, slots=True)
class Registration:
    """How a picture lies against the reference.

    Attributes:
        dx: Pixels by which its content lies too far to the right, at the centre.
        dy: Pixels by which it lies too low.
        turn: Degrees by which it is turned counter-clockwise.
        quality: Correlation of the edges after the alignment, at most 1.
    """

    dx: float
    dy: float
    turn: float
    quality: float

    @property
    def shift(self) -> float:
        """Length of the shift, in pixels."""
        return float(np.hypot(self.dx, self.dy))

    def at(self, right: float, down: float) -> "Registration":
        """The same as seen from a place so many pixels away from the centre."""
        cos, sin = np.cos(np.deg2rad(self.turn)), np.sin(np.deg2rad(self.turn))
        dx = self.dx + (cos - 1) * right + sin * down
        dy = self.dy - sin * right + (cos - 1) * down
        return Registration(float(dx), float(dy), self.turn, self.quality)

    @property
    def good(self) -> bool:
        """Whether the alignment is to be believed."""
        return self.quality >= MIN_QUALITY and self.shift <= MAX_SHIFT_PX and abs(self.turn) <= MAX_TURN_DEG


STILL = Registration(0.0, 0.0, 0.0, 1.0)
"""How the reference itself lies."""


def brightness(reflectance: NDArray[np.float32]) -> Layer:
    """What is registered of a picture [6, rows, columns]: the mean of its visible bands."""
    visible: Layer = reflectance[:3].mean(0)
    return visible


def register(picture: Layer, reference: Layer, usable: Mask) -> Registration:
    """Finds how a picture lies against the reference.

    Args:
        picture: Brightness [rows, columns].
        reference: The same of the reference.
        usable: Pixels that show the ground on both.
    """
    if usable.sum() < _FEWEST:
        return Registration(0.0, 0.0, 0.0, 0.0)
    seen = np.asarray(cv2.erode(usable.astype(np.uint8), np.ones((3, 3), np.uint8)), np.uint8)
    mine, theirs = _edges(picture, seen), _edges(reference, seen)
    rough = _whole_shift(mine, theirs)
    best = Registration(0.0, 0.0, 0.0, 0.0)
    for turn in _TURNS:
        for shift in (rough, (0.0, 0.0)) if rough != (0.0, 0.0) else (rough,):
            found = _refined(mine, theirs, seen, shift, turn)
            best = max(best, found, key=lambda each: each.quality)
        if best.quality >= _SURE:
            break
    return best


def aligned(layers: NDArray[np.float32], registration: Registration) -> NDArray[np.float32]:
    """Layers [n, rows, columns] moved onto the reference; zero where there is none."""
    rows, columns = layers.shape[1:]
    matrix = _matrix(rows, columns, registration)
    there = np.asarray((layers > 0).any(0), np.float32)
    kept = cv2.warpAffine(there, matrix, (columns, rows), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP) > 0.999
    moved = [
        cv2.warpAffine(
            layer,
            matrix,
            (columns, rows),
            flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        for layer in layers
    ]
    return np.stack([np.where(kept & layer.any(), np.clip(layer, 1e-4, None), 0) for layer in moved]).astype(np.float32)


def _edges(layer: Layer, seen: NDArray[np.uint8]) -> Layer:
    """Strength of the edges, evened out so that a few strong ones do not decide."""
    soft = cv2.GaussianBlur(np.sqrt(np.clip(layer, 0, None)), (0, 0), 0.8)
    strength = np.hypot(cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)) * seen
    local = cv2.GaussianBlur(strength, (0, 0), 12) / np.maximum(
        cv2.GaussianBlur(seen.astype(np.float32), (0, 0), 12), 1e-3
    )
    return np.where(seen > 0, np.minimum(strength / (local + 2e-3), 4.0), 0).astype(np.float32)


def _whole_shift(mine: Layer, theirs: Layer) -> tuple[float, float]:
    window = cv2.createHanningWindow(mine.shape[::-1], cv2.CV_32F)
    # OpenCV 5 multiplies the window into what it is given.
    (dx, dy), _ = cv2.phaseCorrelate(theirs.copy(), mine.copy(), window)
    return (dx, dy) if np.hypot(dx, dy) <= MAX_SHIFT_PX else (0.0, 0.0)


def _refined(
    mine: Layer, theirs: Layer, seen: NDArray[np.uint8], shift: tuple[float, float], turn: float
) -> Registration:
    start = Registration(shift[0], shift[1], turn, 0.0)
    rows, columns = mine.shape
    matrix = _matrix(rows, columns, start).astype(np.float32)
    try:
        _, answer = cv2.findTransformECC(theirs, mine, matrix, cv2.MOTION_EUCLIDEAN, _ITERATIONS, seen, 3)
    except cv2.error:  # it does not converge
        return start
    found = np.asarray(answer, np.float64)
    centre = np.array([(columns - 1) / 2, (rows - 1) / 2, 1.0])
    moved = found @ centre - centre[:2]
    turn = float(np.rad2deg(np.arctan2(-found[1, 0], found[0, 0])))
    return Registration(float(moved[0]), float(moved[1]), turn, _correlation(mine, theirs, seen, found))


def _correlation(mine: Layer, theirs: Layer, seen: NDArray[np.uint8], matrix: NDArray[np.float64]) -> float:
    """Pearson's correlation of the edges after an alignment, where both are seen; zero where hardly anything is."""
    size = mine.shape[::-1]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = np.asarray(cv2.warpAffine(mine, matrix, size, flags=flags))
    both = (np.asarray(cv2.warpAffine(seen, matrix, size, flags=flags)) > 0) & (seen > 0)
    if both.sum() < _FEWEST:
        return 0.0
    return float(np.corrcoef(moved[both], theirs[both])[0, 1])


def _matrix(rows: int, columns: int, registration: Registration) -> NDArray[np.float64]:
    """From the reference's (x, y) to the picture's."""
    centre = ((columns - 1) / 2, (rows - 1) / 2)
    matrix = np.asarray(cv2.getRotationMatrix2D(centre, registration.turn, 1.0), np.float64)
    matrix[:, 2] += (registration.dx, registration.dy)
    return matrix
