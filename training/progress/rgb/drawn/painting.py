"""Brushes: polygons laid over a picture, with soft edges, and textures for them."""

import cv2
import numpy as np
from numpy.typing import NDArray

from training.progress.rgb.drawn.ground import Picture

Points = NDArray[np.float64]
"""Corners [n, 2] as (x, y) in pixels."""
Cover = NDArray[np.float32]
"""How much of each pixel is covered; [rows, columns] in 0..1."""

_SHIFT = 4


def cover(corners: Points, size: int) -> Cover:
    """How much of each pixel of a square picture a polygon covers."""
    drawn = np.zeros((size, size), np.uint8)
    vertices = np.round(corners * 2**_SHIFT).astype(np.int32)
    cv2.fillPoly(drawn, [vertices], 255, lineType=cv2.LINE_AA, shift=_SHIFT)
    return drawn.astype(np.float32) / np.float32(255)


def lay(picture: Picture, paint: Picture | NDArray[np.float32], where: Cover) -> None:
    """Lays a colour [3] or a picture over a picture, in place."""
    part = _extent(where)
    paint = paint[part] if paint.ndim == 3 else paint
    picture[part] += (paint - picture[part]) * where[part][..., None]


def darken(picture: Picture, where: Cover, share: float) -> None:
    """Takes a share of the light, in place; the sky's blue light stays longest."""
    part = _extent(where)
    picture[part] *= 1 - where[part][..., None] * share * np.array([1.0, 0.97, 0.9], np.float32)


def lumps(size: int, scale: float, rng: np.random.Generator, octaves: int = 3) -> Cover:
    """Smooth noise of mean 0 and deviation 1 whose largest lumps are `scale` pixels wide."""
    total = np.zeros((size, size), np.float32)
    for octave in range(octaves):
        cells = int(np.clip(np.ceil(size / scale * 2**octave), 2, size))
        coarse = rng.normal(size=(cells + 1, cells + 1)).astype(np.float32)
        total += np.asarray(cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)) * 0.6**octave
    return np.asarray((total - total.mean()) / max(float(total.std()), 1e-6), np.float32)


def rectangle(centre: Points, along: float, across: float, angle: float) -> Points:
    """Corners of a rectangle of two lengths, turned by an angle in radians."""
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    half = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (along / 2, across / 2)
    return np.asarray(half @ turn + centre)


def blob(centre: Points, radius: float, rng: np.random.Generator) -> Points:
    """Corners of an irregular piece of ground."""
    count = int(rng.integers(5, 14))
    angles = np.sort(rng.uniform(0, 2 * np.pi, count))
    lengths = radius * rng.uniform(0.5, 1.3, count)
    stretch = rng.uniform(0.5, 1.0)
    return np.stack((np.cos(angles) * lengths, np.sin(angles) * lengths * stretch), 1) + centre


def _extent(where: Cover) -> tuple[slice, slice]:
    """The least window that holds all that is covered."""
    rows, columns = (np.flatnonzero(where.any(axis)) for axis in (1, 0))
    return (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)) if len(rows) else (slice(0), slice(0))
