"""Relative radiometric normalisation: one picture's brightness brought to another's by ground that stays the same."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_ROUNDS = 3
_KEPT = 0.7
"""Share of the samples that stay after each round: those that fit the line best."""
_SAMPLES = 20_000
_FEWEST = 64
_GAINS = (0.4, 2.5)


@dataclass(frozen=True, slots=True)
class Line:
    """What takes one band's brightness to another's: `value * gain + offset`.

    Attributes:
        gain: Factor.
        offset: Reflectance.
    """

    gain: float
    offset: float


_SAME = Line(1.0, 0.0)


def normalised(
    picture: NDArray[np.float32], reference: NDArray[np.float32], stable: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """A picture whose brightness fits a reference's.

    Args:
        picture: Reflectance [bands, rows, columns]; zero where there is none.
        reference: The same of the reference.
        stable: Pixels that should look the same, e.g. the clear part of the ring around a site.

    Returns:
        The picture, still zero where there is none; unchanged where too few pixels are stable.
    """
    return brightened(picture, brightness_lines(picture, reference, stable))


def brightened(picture: NDArray[np.float32], lines: Sequence[Line]) -> NDArray[np.float32]:
    """A picture [bands, rows, columns] whose bands have gone through their lines, still zero where there is none."""
    moved = [
        np.where(band > 0, np.clip(band * line.gain + line.offset, 1e-4, None), 0)
        for band, line in zip(picture, lines, strict=True)
    ]
    return np.stack(moved).astype(np.float32)


def brightness_lines(
    picture: NDArray[np.float32], reference: NDArray[np.float32], stable: NDArray[np.bool_]
) -> list[Line]:
    """What takes each band's brightness to a reference's; arguments as of `normalised`.

    Lines are fitted by trimmed least squares: what has changed lies far from them and is left out (pseudo-invariant
    features, Schott et al., 1988).
    """
    seen = stable & (picture > 0).any(0) & (reference > 0).any(0)
    places = np.flatnonzero(seen)
    if len(places) < _FEWEST:
        return [_SAME] * len(picture)
    if len(places) > _SAMPLES:
        places = places[:: len(places) // _SAMPLES + 1]
    samples = [(mine.ravel()[places], theirs.ravel()[places]) for mine, theirs in zip(picture, reference, strict=True)]
    return [_line(x, y) if x.any() and y.any() else _SAME for x, y in samples]


def _line(x: NDArray[np.float32], y: NDArray[np.float32]) -> Line:
    """The line that takes x to y."""
    kept = np.ones(len(x), bool)
    gain, offset = 1.0, float(np.median(y) - np.median(x))
    for _ in range(_ROUNDS):
        distance = np.abs(x * gain + offset - y)
        kept = distance <= np.quantile(distance, _KEPT)
        spread = float(x[kept].std())
        # The geometric mean of both regressions' slopes: noise in x does not flatten the line.
        slope = float(y[kept].std()) / spread if spread > 1e-5 else 1.0
        gain = float(np.clip(slope, *_GAINS))
        offset = float(y[kept].mean() - gain * x[kept].mean())
    return Line(gain, offset)
