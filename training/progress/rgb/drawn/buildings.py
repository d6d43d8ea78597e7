"""Buildings as a flight sees them: roofs of several shapes and colours, their light and their shadow."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.progress.rgb.drawn.ground import Picture
from training.progress.rgb.drawn.painting import Cover, Points, cover, darken, lay, lumps, rectangle

_ROOFS = np.array(
    (
        (0.80, 0.80, 0.78), (0.62, 0.62, 0.60), (0.45, 0.46, 0.48), (0.30, 0.30, 0.32), (0.20, 0.20, 0.22),
        (0.66, 0.36, 0.26), (0.55, 0.28, 0.22), (0.75, 0.50, 0.38), (0.45, 0.33, 0.28), (0.62, 0.55, 0.46),
        (0.28, 0.40, 0.58), (0.35, 0.48, 0.40), (0.16, 0.20, 0.32), (0.90, 0.90, 0.90), (0.72, 0.66, 0.58),
    ),
    np.float32,
)  # fmt: skip
"""Red, green and blue: membranes, sheet, bitumen, tiles new and old, thatch-coloured, blue and green sheet, panels."""
_CONCRETE = np.array((0.66, 0.64, 0.60), np.float32)


@dataclass(frozen=True, slots=True)
class Sun:
    """Light of one date.

    Attributes:
        azimuth: Direction from which it comes, radians.
        length: Length of a shadow for one metre of height.
        depth: Share of the light that a shadow takes.
    """

    azimuth: float
    length: float
    depth: float

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "Sun":
        """A sun of a random day."""
        return cls(float(rng.uniform(0, 2 * np.pi)), float(rng.uniform(0.3, 1.8)), float(rng.uniform(0.35, 0.75)))

    @property
    def away(self) -> Points:
        """Where a shadow falls: (x, y) of a metre of height."""
        return -self.length * np.array([np.cos(self.azimuth), np.sin(self.azimuth)])


@dataclass(frozen=True, slots=True)
class Building:
    """One building. Lengths are in pixels.

    Attributes:
        wings: Rectangles (centre x, centre y, along, across); the first is the main one.
        angle: By which all are turned, radians.
        height: Of the eaves.
        gabled: Whether its roof has two slopes.
        colour: Red, green and blue of the roof.
        stage: Share that is roofed: 0 is a slab, 1 a finished building.
        seed: Of its details.
    """

    wings: tuple[tuple[float, float, float, float], ...]
    angle: float
    height: float
    gabled: bool
    colour: NDArray[np.float32]
    stage: float
    seed: int

    @property
    def outlines(self) -> list[Points]:
        """Corners of the wings."""
        return [rectangle(np.array(wing[:2]), wing[2], wing[3], self.angle) for wing in self.wings]

    def footprint(self, size: int) -> Cover:
        """How much of each pixel it covers."""
        covers = [cover(outline, size) for outline in self.outlines]
        return np.asarray(np.max(covers, axis=0), np.float32)


def draw_building(
    centre: Points, length_m: tuple[float, float], gsd: float, angle: float, rng: np.random.Generator
) -> Building:
    """A building of random shape.

    Args:
        centre: Of its main wing, pixels.
        length_m: Least and greatest length, metres.
        gsd: Metres per pixel.
        angle: Of the street, radians.
        rng: Source of chance.
    """
    along = float(np.exp(rng.uniform(*np.log(length_m)))) / gsd
    across = along * float(rng.uniform(0.35, 1.0))
    wings = [(float(centre[0]), float(centre[1]), along, across)]
    if rng.random() < 0.4:  # an L or a T
        offset = np.array([rng.choice((-1, 1)) * along * rng.uniform(0, 0.35), rng.choice((-1, 1)) * across * 0.6])
        x, y = centre + offset @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        wings.append((float(x), float(y), along * float(rng.uniform(0.25, 0.6)), across * float(rng.uniform(0.5, 0.9))))
    small = along * gsd < 25
    colour = _ROOFS[rng.integers(len(_ROOFS))] * np.exp(rng.normal(0, 0.12)) + rng.normal(0, 0.03, 3)
    return Building(
        wings=tuple(wings),
        angle=angle,
        height=float(rng.uniform(2.5, 8) if small else rng.uniform(5, 22)) / gsd,
        gabled=bool(rng.random() < (0.7 if small else 0.2)),
        colour=np.clip(colour, 0.05, 0.95).astype(np.float32),
        stage=1.0 if rng.random() < 0.8 else float(rng.uniform(0, 0.8)),
        seed=int(rng.integers(2**31)),
    )


def shade(picture: Picture, building: Building, sun: Sun) -> None:
    """Draws a building's shadow, in place."""
    size = picture.shape[0]
    fallen = np.zeros((size, size), np.float32)
    reach = sun.away * building.height * (0.05 + 0.95 * building.stage)
    for outline in building.outlines:
        for step in np.linspace(0, 1, 5):
            fallen = np.maximum(fallen, cover(outline + reach * step, size))
    darken(picture, fallen, sun.depth)


def roof(picture: Picture, building: Building, sun: Sun) -> None:
    """Draws a building, in place."""
    size = picture.shape[0]
    rng = np.random.default_rng(building.seed)
    for wing, outline in zip(building.wings, building.outlines, strict=True):
        grain = 1 + lumps(size, max(4.0, wing[3] / 2), rng, 2)[..., None] * np.float32(rng.uniform(0.01, 0.06))
        if building.stage < 1:
            _shell(picture, building, wing, grain, rng)
            continue
        lay(picture, building.colour * grain, cover(outline, size))
        if building.gabled:
            _slopes(picture, building, wing, grain, sun)
        else:
            _flat(picture, building, wing, rng)


def _slopes(
    picture: Picture, building: Building, wing: tuple[float, float, float, float], grain: Picture, sun: Sun
) -> None:
    """Two halves along the ridge, one towards the sun and one away from it."""
    x, y, along, across = wing
    turn = building.angle + (np.pi / 2 if along >= across else 0.0)
    short, long = min(along, across), max(along, across)
    ridge = building.angle if along >= across else building.angle + np.pi / 2
    for side in (-1, 1):
        normal = np.array([np.cos(turn), np.sin(turn)]) * side
        light = 1 + 0.35 * float(np.cos(sun.azimuth - np.arctan2(normal[1], normal[0])))
        half = rectangle(np.array([x, y]) + normal * short / 4, long, short / 2, ridge)
        lay(picture, np.clip(building.colour * light, 0, 1) * grain, cover(half, picture.shape[0]))


def _flat(
    picture: Picture, building: Building, wing: tuple[float, float, float, float], rng: np.random.Generator
) -> None:
    """A parapet, and perhaps rows of skylights or panels, and machines."""
    x, y, along, across = wing
    size = picture.shape[0]
    if rng.random() < 0.6:
        outer = cover(rectangle(np.array([x, y]), along, across, building.angle), size)
        inner = cover(rectangle(np.array([x, y]), along - 2, across - 2, building.angle), size)
        lay(picture, np.clip(building.colour * np.float32(rng.uniform(0.6, 1.4)), 0, 1), outer - inner)
    cos, sin = np.cos(building.angle), np.sin(building.angle)
    for _ in range(int(rng.integers(0, 2)) * int(rng.integers(1, 14))):
        u, v = rng.uniform(-0.42, 0.42, 2) * (along, across)
        wide, deep = rng.uniform(1, 5, 2)
        spot = rectangle(np.array([x + u * cos - v * sin, y + u * sin + v * cos]), wide, deep, building.angle)
        lay(picture, np.full(3, rng.uniform(0.1, 0.95), np.float32), cover(spot, size))
    if rng.random() < 0.35:
        period, colour = rng.uniform(3, 14), np.clip(building.colour + np.float32(rng.normal(0, 0.25)), 0.03, 1)
        for offset in np.arange(-along / 2 + period, along / 2 - 1, period):
            centre = np.array([x + offset * cos, y + offset * sin])
            stripe = rectangle(centre, period * 0.4, across * 0.85, building.angle)
            lay(picture, colour, cover(stripe, size))


def _shell(
    picture: Picture,
    building: Building,
    wing: tuple[float, float, float, float],
    grain: Picture,
    rng: np.random.Generator,
) -> None:
    """A slab with walls and columns on it, a part of it roofed."""
    x, y, along, across = wing
    size, cos, sin = picture.shape[0], np.cos(building.angle), np.sin(building.angle)
    lay(
        picture,
        _CONCRETE * np.float32(rng.uniform(0.7, 1.2)) * grain,
        cover(rectangle(np.array([x, y]), along, across, building.angle), size),
    )
    count = int(rng.integers(2, 7))
    for offset in np.linspace(-along / 2, along / 2, count):
        wall = rectangle(np.array([x + offset * cos, y + offset * sin]), 1.3, across, building.angle)
        lay(picture, np.full(3, rng.uniform(0.2, 0.9), np.float32), cover(wall, size) * 0.8)
    done = along * building.stage
    start = np.array([x, y]) - (along - done) / 2 * np.array([cos, sin])
    lay(
        picture,
        building.colour * grain,
        cover(rectangle(start, done, across, building.angle), size) * (building.stage > 0.25),
    )
