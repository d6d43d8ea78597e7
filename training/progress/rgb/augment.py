"""Random variants of a pair of pictures and its mask: how one place looks on other days, from other flights."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How strongly pairs are varied.

    Attributes:
        size: Rows and columns of a crop, pixels.
        scales: Least and greatest magnification.
        shift: Furthest that `after` is displaced against `before` along each axis, pixels.
        on_change: Share of crops that are centred on a changed pixel, where there is one.
        swap: Share of pairs whose dates are swapped, where the mask allows it.
        negative: Share of pairs in which both dates show the same day.
        colour: Strength of the changes of colour; 1 is the usual one.
    """

    size: int = 256
    scales: tuple[float, float] = (0.5, 2.0)
    shift: float = 3.0
    on_change: float = 0.5
    swap: float = 0.5
    negative: float = 0.1
    colour: float = 1.0

    def __call__(
        self, before: Picture, after: Picture, mask: Picture, rng: np.random.Generator, *, symmetric: bool = True
    ) -> tuple[Picture, Picture, Picture]:
        """One variant.

        Args:
            before: [rows, columns, 3] RGB.
            after: [rows, columns, 3] RGB.
            mask: [rows, columns] classes, 0 where nothing changed.
            rng: Source of chance.
            symmetric: Whether the mask holds for the dates swapped as well.

        Returns:
            Crops of `size`: two [size, size, 3] and one [size, size].
        """
        if rng.random() < self.negative:
            before = after = (before, after)[rng.integers(2)]
            mask = np.zeros_like(mask)
        elif symmetric and rng.random() < self.swap:
            before, after = after, before
        matrix = self._place(mask, rng)
        moved = matrix.copy()
        moved[:, 2] += rng.uniform(-self.shift, self.shift, 2)
        return (
            varied(_warped(before, matrix, self.size, cv2.INTER_LINEAR), rng, self.colour),
            varied(_warped(after, moved, self.size, cv2.INTER_LINEAR), rng, self.colour),
            _warped(mask, moved, self.size, cv2.INTER_NEAREST),
        )

    def _place(self, mask: Picture, rng: np.random.Generator) -> NDArray[np.float64]:
        """Affine matrix [2, 3] from a picture's pixels (x, y) to a crop's: quarter turn, mirror, scale, place."""
        low, high = np.log(self.scales)
        scale = float(np.exp(rng.uniform(low, high)))
        changed = np.flatnonzero(mask) if rng.random() < self.on_change else np.empty(0)
        if len(changed):
            row, column = np.divmod(int(rng.choice(changed)), mask.shape[1])
            centre = np.array([column, row]) + rng.uniform(-0.3, 0.3, 2) * self.size / scale
        else:
            centre = rng.uniform(0, 1, 2) * (mask.shape[1], mask.shape[0])
        half = self.size / scale / 2
        for axis, length in enumerate((mask.shape[1], mask.shape[0])):
            centre[axis] = np.clip(centre[axis], half, length - half) if length > 2 * half else length / 2
        cosine, sine = ((1, 0), (0, 1), (-1, 0), (0, -1))[rng.integers(4)]
        turn = scale * np.array([[cosine, -sine], [sine, cosine]]) * (1, rng.choice((-1, 1)))
        return np.column_stack((turn, self.size / 2 - turn @ centre))


def varied(picture: Picture, rng: np.random.Generator, strength: float = 1.0) -> Picture:
    """The same view under another light, haze and camera.

    Args:
        picture: [rows, columns, 3] RGB.
        rng: Source of chance.
        strength: Of the changes of colour.
    """
    x: NDArray[np.floating] = picture.astype(np.float32) / 255
    x = np.power(x, np.float32(np.exp(rng.normal(0, 0.2 * strength))))
    mean = x.mean((0, 1))
    x = mean + (x - mean) * np.float32(np.exp(rng.normal(0, 0.2 * strength)))
    grey = x.mean(2, keepdims=True)
    x = grey + (x - grey) * np.float32(np.exp(rng.normal(0, 0.3 * strength)))
    x *= np.exp(rng.normal(0, 0.15 * strength) + rng.normal(0, 0.08 * strength, 3)).astype(np.float32)
    x += rng.normal(0, 0.03 * strength, 3).astype(np.float32)
    if rng.random() < 0.2:
        x = _hazed(x, rng)
    if rng.random() < 0.3:
        x = np.asarray(cv2.GaussianBlur(x, (0, 0), rng.uniform(0.4, 1.5)), np.float32)
    if rng.random() < 0.3:
        x += rng.normal(0, rng.uniform(0.005, 0.03), x.shape).astype(np.float32)
    out = (np.clip(x, 0, 1) * 255).astype(np.uint8)
    if rng.random() < 0.3:
        quality = int(rng.integers(40, 95))
        out = cv2.imdecode(cv2.imencode(".jpg", out, (cv2.IMWRITE_JPEG_QUALITY, quality))[1], cv2.IMREAD_COLOR)
    return out


def _hazed(x: NDArray[np.floating], rng: np.random.Generator) -> NDArray[np.floating]:
    """A veil of uneven thickness and bluish white."""
    thickness = cv2.resize(rng.uniform(0, 1, (3, 3)).astype(np.float32), x.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    veil = (np.clip(thickness, 0, 1) * rng.uniform(0.1, 0.6))[..., None]
    white = np.array([0.80, 0.83, 0.87], np.float32)
    return x * (1 - veil) + white * veil


def _warped(picture: Picture, matrix: NDArray[np.float64], size: int, flags: int) -> Picture:
    return np.asarray(
        cv2.warpAffine(picture, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REFLECT), np.uint8
    )
