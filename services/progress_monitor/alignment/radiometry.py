"""Relative radiometric normalisation: one picture's brightness brought to another's by ground that stays the same."""

import numpy as np
from numpy.typing import NDArray

_ROUNDS = 3
_KEPT = 0.7
"""Share of the samples that stay after each round: those that fit the line best."""
_SAMPLES = 20_000
_FEWEST = 64
_GAINS = (0.4, 2.5)


def normalised(
    picture: NDArray[np.float32], reference: NDArray[np.float32], stable: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """A picture whose brightness fits a reference's.

    For every band a line is fitted by trimmed least squares: what has changed lies far from it and is left out
    (pseudo-invariant features, Schott et al., 1988).

    Args:
        picture: Reflectance [bands, rows, columns]; zero where there is none.
        reference: The same of the reference.
        stable: Pixels that should look the same, e.g. the clear part of the ring around a site.

    Returns:
        The picture, still zero where there is none; unchanged where too few pixels are stable.
    """
    seen = stable & (picture > 0).any(0) & (reference > 0).any(0)
    places = np.flatnonzero(seen)
    if len(places) < _FEWEST:
        return picture
    if len(places) > _SAMPLES:
        places = places[:: len(places) // _SAMPLES + 1]
    out = picture.copy()
    for band, (mine, theirs) in enumerate(zip(picture, reference, strict=True)):
        x, y = mine.ravel()[places], theirs.ravel()[places]
        if not x.any() or not y.any():
            continue
        gain, offset = _line(x, y)
        out[band] = np.where(mine > 0, np.clip(mine * gain + offset, 1e-4, None), 0)
    return out


def _line(x: NDArray[np.float32], y: NDArray[np.float32]) -> tuple[float, float]:
    """Gain and offset that take x to y."""
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
    return gain, offset
