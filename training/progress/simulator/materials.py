"""What things look like: surface reflectance of materials in six bands, and how it changes with the season.

Values follow the shape of the spectra in the USGS Spectral Library (Kokaly et al., 2017, public domain), rounded by
hand to six broad bands; what matters is their order and their spread, which every drawn site varies.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.progress_monitor.change.surfaces import Surface
from services.progress_monitor.imagery.sensors import BANDS

Spectrum = tuple[float, float, float, float, float, float]


SURFACES = tuple(surface for surface in Surface if surface is not Surface.HIDDEN)
"""What a piece of a site can become."""


@dataclass(frozen=True, slots=True)
class Material:
    """One material.

    Attributes:
        spectrum: Mean reflectance in [0, 1] per band of `BANDS`.
        spread: Relative spread of the brightness between two sites.
        texture: Relative spread of the brightness within one surface.
    """

    spectrum: Spectrum
    spread: float
    texture: float


SOILS = (
    Material((0.08, 0.12, 0.17, 0.24, 0.32, 0.28), 0.20, 0.10),  # brown
    Material((0.13, 0.18, 0.24, 0.31, 0.40, 0.36), 0.20, 0.10),  # pale loam
    Material((0.07, 0.11, 0.20, 0.27, 0.36, 0.30), 0.20, 0.12),  # red earth
    Material((0.20, 0.27, 0.34, 0.41, 0.49, 0.45), 0.15, 0.08),  # sand
    Material((0.05, 0.07, 0.09, 0.13, 0.18, 0.16), 0.20, 0.12),  # dark, wet
)
LEAVES = (
    Material((0.03, 0.07, 0.04, 0.42, 0.20, 0.09), 0.15, 0.12),  # crop
    Material((0.04, 0.08, 0.05, 0.34, 0.22, 0.12), 0.15, 0.10),  # grass
    Material((0.02, 0.04, 0.03, 0.28, 0.13, 0.06), 0.15, 0.25),  # forest
)
WATER = Material((0.06, 0.06, 0.04, 0.02, 0.01, 0.01), 0.35, 0.05)
CONCRETE = (
    Material((0.20, 0.24, 0.27, 0.31, 0.34, 0.31), 0.20, 0.08),
    Material((0.30, 0.34, 0.37, 0.40, 0.42, 0.39), 0.15, 0.06),
)
ASPHALT = Material((0.08, 0.09, 0.10, 0.12, 0.14, 0.14), 0.25, 0.06)
FRAME = (
    Material((0.11, 0.12, 0.13, 0.16, 0.19, 0.18), 0.25, 0.35),  # steel over a shaded slab
    Material((0.22, 0.24, 0.26, 0.30, 0.33, 0.31), 0.20, 0.30),  # formwork and columns
)
ROOFS = (
    Material((0.45, 0.48, 0.50, 0.52, 0.48, 0.42), 0.20, 0.04),  # white membrane
    Material((0.24, 0.27, 0.28, 0.31, 0.30, 0.27), 0.20, 0.05),  # zinc
    Material((0.30, 0.26, 0.19, 0.27, 0.33, 0.28), 0.20, 0.05),  # blue sheet
    Material((0.10, 0.13, 0.24, 0.33, 0.38, 0.33), 0.20, 0.08),  # red sheet or tile
    Material((0.09, 0.10, 0.11, 0.14, 0.17, 0.17), 0.25, 0.05),  # bitumen
    Material((0.14, 0.20, 0.16, 0.25, 0.26, 0.22), 0.20, 0.05),  # green sheet
)
SNOW = Material((0.88, 0.88, 0.86, 0.78, 0.10, 0.08), 0.05, 0.03)


def drawn(material: Material, rng: np.random.Generator) -> NDArray[np.float32]:
    """One site's version of a material: its reflectance per band."""
    brightness = np.exp(rng.normal(0, material.spread))
    tint = np.exp(rng.normal(0, 0.06, len(BANDS)))
    return np.clip(np.array(material.spectrum, np.float32) * np.float32(brightness * tint), 0.004, 0.95).astype(
        np.float32
    )


def green_share(
    day_of_year: NDArray[np.float32] | float, peak: NDArray[np.float32] | float, evergreen: float
) -> NDArray[np.float32]:
    """Share of leaves over soil in the course of a year.

    Args:
        day_of_year: 0 to 365.
        peak: Day of the year at which the vegetation is densest.
        evergreen: Share that stays, in [0, 1].
    """
    season = 0.5 + 0.5 * np.cos(2 * np.pi * (np.asarray(day_of_year) - peak) / 365.0)
    return np.asarray(evergreen + (1 - evergreen) * season**1.5, dtype=np.float32)
