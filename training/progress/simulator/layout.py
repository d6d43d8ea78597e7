"""What is planned where: site polygon, halls, roads and yards of an industrial project, in metres."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.affinity import rotate, translate
from shapely.geometry.base import BaseGeometry

HALL_M = ((30.0, 70.0), (60.0, 190.0))
"""Ranges of the short and of the long side of a hall."""


@dataclass(frozen=True, slots=True)
class Building:
    """One planned building.

    Attributes:
        outline: Footprint.
        along: Unit vector along which it is built, from one end to the other.
        height: In metres.
        roof: Index of its roof's material, of those that the site has drawn.
    """

    outline: BaseGeometry
    along: tuple[float, float]
    height: float
    roof: int


@dataclass(frozen=True, slots=True)
class Layout:
    """A planned site. The origin is the centre of the rendered square, y goes down.

    Attributes:
        site: The area of interest.
        buildings: What is planned in it.
        paved: Roads and yards.
        extent: Side of the rendered square, in metres.
    """

    site: BaseGeometry
    buildings: Sequence[Building]
    paved: BaseGeometry
    extent: float

    def moved(self, offset: tuple[float, float], keep_out: BaseGeometry) -> "Layout":
        """The site elsewhere, without what would lie on another's ground."""
        outlines = [translate(building.outline, *offset) for building in self.buildings]
        kept = [
            Building(outline, building.along, building.height, building.roof)
            for building, outline in zip(self.buildings, outlines, strict=True)
            if not outline.intersects(keep_out)
        ]
        site, paved = translate(self.site, *offset), translate(self.paved, *offset)
        return Layout(site.difference(keep_out), kept, paved.difference(keep_out), self.extent)


def draw_layout(rng: np.random.Generator, side: float | None = None) -> Layout:
    """Draws a site.

    Args:
        rng: Source of chance.
        side: Longer side of the site, in metres; drawn where it is None.
    """
    long_side = side or float(rng.uniform(220, 800))
    short_side = long_side * float(rng.uniform(0.55, 0.95))
    site: BaseGeometry = shapely.box(-long_side / 2, -short_side / 2, long_side / 2, short_side / 2)
    if rng.random() < 0.3:  # a corner that belongs to someone else
        cut = shapely.box(long_side * 0.15, -short_side, long_side, -short_side * float(rng.uniform(0.1, 0.3)))
        site = site.difference(cut)
    buildings = _buildings(site, rng)
    roads = shapely.union_all([building.outline.buffer(14, join_style="mitre") for building in buildings])
    spine = shapely.box(-long_side / 2, -6, long_side / 2, 6)
    paved = roads.union(spine).intersection(site.buffer(-4))
    angle = float(rng.uniform(0, 180))
    return Layout(
        site=rotate(site, angle, origin=(0, 0)),
        buildings=[_turned(building, angle) for building in buildings],
        paved=rotate(paved, angle, origin=(0, 0)),
        extent=long_side * 1.15 + 2 * 220.0,
    )


def _buildings(site: BaseGeometry, rng: np.random.Generator) -> list[Building]:
    room = site.buffer(-16)
    found: list[Building] = []
    left, top, right, bottom = room.bounds
    wanted = rng.uniform(0.25, 0.48) * site.area
    scale = np.clip((right - left) / 420, 0.55, 1.6)
    for _ in range(900):
        short = float(rng.uniform(*HALL_M[0])) * scale
        long = float(rng.uniform(*HALL_M[1])) * scale
        width, height = (long, short) if rng.random() < 0.6 else (short, long)
        x, y = float(rng.uniform(left, right)), float(rng.uniform(top, bottom))
        outline: BaseGeometry = shapely.box(0, 0, width, height)
        if rng.random() < 0.2:
            outline = outline.difference(shapely.box(width * 0.6, height * 0.55, width, height))
        outline = translate(outline, x, y)
        if not room.contains(outline) or any(other.outline.distance(outline) < 12 for other in found):
            continue
        along = (1.0, 0.0) if width > height else (0.0, 1.0)
        sign = 1.0 if rng.random() < 0.5 else -1.0
        direction = (along[0] * sign, along[1] * sign)
        found.append(Building(outline, direction, float(rng.uniform(7, 18)), int(rng.integers(3))))
        if sum(building.outline.area for building in found) > wanted or len(found) >= 14:
            break
    if not found:
        outline = shapely.box(-20, -12, 20, 12).intersection(room)
        found.append(Building(outline, (1.0, 0.0), 9.0, 0))
    return sorted(found, key=lambda building: building.outline.centroid.x)


def _turned(building: Building, angle: float) -> Building:
    radians = np.deg2rad(angle)
    cos, sin = float(np.cos(radians)), float(np.sin(radians))
    x, y = building.along
    along = (x * cos - y * sin, x * sin + y * cos)
    return Building(rotate(building.outline, angle, origin=(0, 0)), along, building.height, building.roof)
