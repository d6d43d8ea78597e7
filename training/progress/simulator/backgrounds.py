"""What lies there before and around: drawn countryside, or a real picture of it, through the seasons."""

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.affinity import rotate

from services.progress_monitor.imagery.sensors import BANDS
from training.progress.simulator.canvas import Canvas, Field
from training.progress.simulator.materials import (
    ASPHALT,
    LEAVES,
    ROOFS,
    SOILS,
    WATER,
    drawn,
    green_share,
)

Reflectance = NDArray[np.float32]
"""[bands, rows, columns], of `BANDS`."""


class Background(Protocol):
    """Ground that nobody builds on."""

    def at(self, day: float) -> Reflectance:
        """Its reflectance on a day counted from a first of January."""
        ...


@dataclass(frozen=True, slots=True)
class _Parcel:
    """One field, wood, pond or village.

    Attributes:
        mask: Its pixels.
        soil: Reflectance under the leaves.
        leaf: Reflectance of the leaves.
        peak: Day of the year of most leaves.
        evergreen: Share of leaves that stays.
        harvest: Day of the year at which the leaves go, and stay away for two months; infinite for none.
        wet_until: Day of the year until which a pond holds water; infinite for always, negative for never.
    """

    mask: NDArray[np.bool_]
    soil: NDArray[np.float32]
    leaf: NDArray[np.float32]
    peak: float
    evergreen: float
    harvest: float
    wet_until: float


class DrawnCountryside:
    """Fields, woods, ponds, roads and houses.

    Args:
        canvas: Where.
        rng: Source of chance.
    """

    def __init__(self, canvas: Canvas, rng: np.random.Generator) -> None:
        self._canvas = canvas
        self._parcels = _parcels(canvas, rng)
        self._texture = np.exp(0.10 * canvas.noise(rng, 60, 5) + rng.normal(0, 0.04, (canvas.size, canvas.size)))
        self._vigour = 0.12 * canvas.noise(rng, 120, 4)
        self._fixed = _roads_and_houses(canvas, rng)
        self._water = drawn(WATER, rng)

    def at(self, day: float) -> Reflectance:
        """Its reflectance on a day counted from a first of January."""
        year_day = day % 365.0
        picture = np.empty((len(BANDS), self._canvas.size, self._canvas.size), np.float32)
        for parcel in self._parcels:
            share = float(green_share(year_day, parcel.peak, parcel.evergreen))
            if (year_day - parcel.harvest) % 365.0 < 60.0:
                share *= 0.1
            green = np.clip(share + self._vigour[parcel.mask], 0, 1)
            mixed = parcel.soil[:, None] * (1 - green) + parcel.leaf[:, None] * green
            if parcel.wet_until > year_day:
                mixed = np.broadcast_to(self._water[:, None], mixed.shape)
            picture[:, parcel.mask] = mixed
        for mask, spectrum in self._fixed:
            picture[:, mask] = spectrum[:, None]
        return (picture * self._texture).astype(np.float32)


class RealGround:
    """A real place that goes back and forth between two real pictures of it as the seasons do.

    Args:
        pictures: Reflectance on two days, [bands, rows, columns], one lying on the other; stretched to the canvas.
        canvas: Where.
        rng: Source of chance.
    """

    def __init__(self, pictures: tuple[Reflectance, Reflectance], canvas: Canvas, rng: np.random.Generator) -> None:
        size = (canvas.size, canvas.size)
        grain = np.exp(rng.normal(0, 0.03, size)).astype(np.float32)
        one, two = (
            np.stack([cv2.resize(band, size, interpolation=cv2.INTER_CUBIC) for band in picture])
            for picture in pictures
        )
        self._one, self._two = (np.clip(picture, 0.003, 1.0) * grain for picture in (one, two))
        green = np.clip((one[3] - one[2]) / (one[3] + one[2] + 1e-3) / 0.7, 0, 1)
        self._green: Field = green.astype(np.float32)
        self._bare = drawn(SOILS[int(rng.integers(3))], rng)
        self._peak = (float(rng.uniform(120, 240)) + 45 * canvas.noise(rng, 250, 3)).astype(np.float32)
        self._evergreen = float(rng.uniform(0.4, 1.0))
        self._turn = float(rng.uniform(0, 365))

    def at(self, day: float) -> Reflectance:
        """Its reflectance on a day counted from a first of January."""
        share = np.float32(0.5 + 0.5 * np.cos(2 * np.pi * (day - self._turn) / 365.0))
        picture = self._one * share + self._two * (1 - share)
        lost = self._green * (1 - green_share(day % 365.0, self._peak, self._evergreen)) * 0.8
        return (picture * (1 - lost) + self._bare[:, None, None] * lost).astype(np.float32)


def _parcels(canvas: Canvas, rng: np.random.Generator) -> list[_Parcel]:
    x, y = canvas.coordinates()
    angle = rng.uniform(0, np.pi)
    along = x * np.cos(angle) + y * np.sin(angle) + 12 * canvas.noise(rng, 400, 2)
    across = -x * np.sin(angle) + y * np.cos(angle) + 12 * canvas.noise(rng, 400, 2)
    width = float(rng.uniform(70, 260))
    strip = np.floor(along / width).astype(int)
    lengths = rng.uniform(0.7, 3.0, 64) * width
    row = np.floor(across / lengths[strip % 64] + rng.uniform(0, 1, 64)[strip % 64]).astype(int)
    cell = (strip - strip.min()) * 1000 + (row - row.min())
    village = float(rng.random())
    shared = [drawn(SOILS[int(rng.choice(5, p=[0.35, 0.3, 0.15, 0.1, 0.1]))], rng) for _ in range(3)]
    parcels = []
    for number in np.unique(cell):
        kind = rng.choice(["crop", "grass", "forest", "bare", "pond"], p=[0.45, 0.25, 0.14, 0.11, 0.05])
        leaf = LEAVES[{"forest": 2, "grass": 1}.get(str(kind), 0)]
        evergreen = {"forest": 0.75, "grass": 0.45, "bare": 0.0, "pond": 0.1}.get(str(kind), 0.05)
        parcels.append(
            _Parcel(
                mask=cell == number,
                soil=(shared[int(rng.integers(3))] * np.float32(np.exp(rng.normal(0, 0.12)))).astype(np.float32),
                leaf=drawn(leaf, rng) * (np.float32(0.3) if kind == "bare" else np.float32(1)),
                peak=float(rng.uniform(100, 250)) if kind == "crop" else float(rng.uniform(170, 210)),
                evergreen=evergreen + 0.1 * village if kind != "bare" else 0.0,
                harvest=float(rng.uniform(150, 300)) if kind == "crop" else np.inf,
                wet_until=float(rng.choice([np.inf, rng.uniform(100, 300)])) if kind == "pond" else -1.0,
            )
        )
    return parcels


def _roads_and_houses(canvas: Canvas, rng: np.random.Generator) -> list[tuple[NDArray[np.bool_], NDArray[np.float32]]]:
    half = canvas.extent
    found = []
    for _ in range(int(rng.integers(1, 4))):
        offset, wide = float(rng.uniform(-0.5, 0.5)) * canvas.extent, float(rng.uniform(3, 9))
        road = rotate(shapely.box(-half, offset - wide, half, offset + wide), float(rng.uniform(0, 180)), origin=(0, 0))
        found.append((canvas.mask(road), drawn(ASPHALT, rng)))
    for _ in range(int(rng.integers(0, 4))):
        cx, cy = rng.uniform(-0.45, 0.45, 2) * canvas.extent
        angle = float(rng.uniform(0, 180))
        for _ in range(int(rng.integers(4, 25))):
            hx, hy = rng.normal((cx, cy), 60)
            wide, deep = rng.uniform(8, 40), rng.uniform(8, 20)
            house = rotate(shapely.box(hx - wide / 2, hy - deep / 2, hx + wide / 2, hy + deep / 2), angle)
            found.append((canvas.mask(house), drawn(ROOFS[int(rng.integers(len(ROOFS)))], rng)))
    return found
