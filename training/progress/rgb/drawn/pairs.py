"""Pairs of dates drawn over real ground, and what changed between them: houses, halls, earthworks, roads.

What does not count is drawn, too: fields in another season, cars, buildings that stand on both dates under another
sun, seams of pasted ground. A network that looked for drawn things or for edges of what was pasted would be wrong.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from services.progress_monitor.alignment.radiometry import normalised
from services.progress_monitor.change.detail import DetailChange
from training.progress.rgb.augment import varied
from training.progress.rgb.drawn.buildings import Building, Sun, draw_building, roof, shade
from training.progress.rgb.drawn.ground import BUILT_UP, FIELDS, Ground, Picture
from training.progress.rgb.drawn.painting import Cover, Points, blob, cover, lay, lumps, rectangle

UNSURE = 3
"""Target of pixels that changed, whether ground or building: pasted pictures of built-up places."""

_SOILS = np.array(
    ((0.50, 0.42, 0.33), (0.66, 0.58, 0.47), (0.78, 0.72, 0.62), (0.55, 0.40, 0.30), (0.40, 0.34, 0.28)), np.float32
)
_PAVING = np.array(((0.42, 0.42, 0.42), (0.30, 0.30, 0.31), (0.62, 0.60, 0.57)), np.float32)
_GSD_M = (0.3, 1.6)
"""Finest and coarsest pixels of a pair."""
_NOTHING = 0.15
"""Share of the pairs in which nothing changed."""
_CLOUDED = 0.12
"""Share of the dates with a cloud."""
_HOUSES_M, _HALLS_M = (7.0, 22.0), (20.0, 110.0)


@dataclass(frozen=True, slots=True, eq=False)
class DrawnPair:
    """One pair.

    Attributes:
        before: [size, size, 3] RGB.
        after: The same place later.
        target: [size, size] `DetailChange`, or `UNSURE`.
    """

    before: NDArray[np.uint8]
    after: NDArray[np.uint8]
    target: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Plot:
    """What is drawn on.

    Attributes:
        size: Pixels of its side.
        gsd: Metres per pixel.
        angle: Of its streets, radians.
    """

    size: int
    gsd: float
    angle: float


def draw_pair(ground: Ground, size: int, rng: np.random.Generator) -> DrawnPair:
    """Draws a pair.

    Args:
        ground: Real pictures to draw on.
        size: Pixels of its side.
        rng: Source of chance.
    """
    plot = Plot(size, float(np.exp(rng.uniform(*np.log(_GSD_M)))), float(rng.uniform(0, np.pi)))
    before = ground.place(size, plot.gsd, rng)
    _seasons(before, ground, plot, rng)
    after = before.copy()
    _seasons(after, ground, plot, rng)
    target = np.zeros((size, size), np.uint8)
    standing, new, gone = _buildings(plot, rng, int(rng.integers(0, 7))), [], []
    if rng.random() > _NOTHING:
        _groundworks(after, target, plot, rng)
        if rng.random() < 0.2:
            _pasted(after, target, ground, plot, rng)
        new = _buildings(plot, rng, int(rng.integers(0, 14)))
        gone = _buildings(plot, rng, int(rng.integers(0, 4) * rng.integers(0, 2)))
    for each in new:
        if rng.random() < 0.5:
            _yard(after, target, each, plot, rng)
    for kind, buildings in (
        (DetailChange.GROUND, gone),
        (DetailChange.AS_BEFORE, standing),
        (DetailChange.BUILT, new),
    ):
        for each in buildings:
            target[each.footprint(size) > 0.5] = kind
    one, other = Sun.drawn(rng), Sun.drawn(rng)
    _furnish(before, gone + standing, one, plot, rng)
    _furnish(after, standing + new, one if rng.random() < 0.5 else other, plot, rng)
    for picture in (before, after):
        if rng.random() < _CLOUDED:
            _cloud(picture, target, plot, rng)
    return _photographed(before, after, target, rng)


def _furnish(picture: Picture, buildings: list[Building], sun: Sun, plot: Plot, rng: np.random.Generator) -> None:
    """Puts buildings and cars on a picture, in place."""
    for each in buildings:
        shade(picture, each, sun)
    for each in buildings:
        roof(picture, each, sun)
    _cars(picture, plot, rng)


def _buildings(plot: Plot, rng: np.random.Generator, count: int) -> list[Building]:
    """Buildings of one neighbourhood, apart from each other by chance only."""
    lengths = _HOUSES_M if rng.random() < 0.55 else _HALLS_M
    centre, spread = rng.uniform(0, plot.size, 2), plot.size * rng.uniform(0.15, 0.5)
    room = np.exp(np.mean(np.log(lengths))) / plot.gsd
    count = min(count, max(1, int(0.5 * plot.size**2 / room**2)))
    found = []
    for _ in range(count):
        place = np.clip(centre + rng.normal(0, spread, 2), 0, plot.size)
        found.append(
            draw_building(place, lengths, plot.gsd, plot.angle + (np.pi / 2 if rng.random() < 0.3 else 0), rng)
        )
    return found


def _seasons(picture: Picture, ground: Ground, plot: Plot, rng: np.random.Generator) -> None:
    """Fields of another colour or crop, in place: no change."""
    tint = np.exp(rng.normal(0, 0.12, 3) * lumps(plot.size, plot.size / 2, rng, 2)[..., None] * 0.5).astype(np.float32)
    np.clip(picture * tint, 0, 1, out=picture)
    for _ in range(int(rng.integers(0, 4))):
        sharp = _piece(plot, (20, 150), rng)
        where = np.asarray(cv2.GaussianBlur(sharp, (0, 0), rng.uniform(0.5, 3)), np.float32)
        if rng.random() < 0.6:
            grey = picture.mean(2, keepdims=True)
            season = grey * np.exp(rng.normal(0, 0.12, 3)).astype(np.float32) * np.float32(rng.uniform(0.7, 1.4))
            kept = np.float32(rng.uniform(0, 0.7))
            lay(picture, np.clip(picture * kept + season * (1 - kept), 0, 1).astype(np.float32), where)
        else:
            other = ground.of(FIELDS, plot.size, plot.gsd, rng)
            lay(picture, other, where * np.float32(rng.uniform(0.3, 0.7)))


def _groundworks(picture: Picture, target: NDArray[np.uint8], plot: Plot, rng: np.random.Generator) -> None:
    """Bare soil, yards and roads, in place."""
    for _ in range(int(rng.integers(0, 4))):
        where = _piece(plot, (8, 90), rng)
        lay(picture, _bare(plot, rng), where * np.float32(rng.uniform(0.8, 1)))
        target[where > 0.5] = DetailChange.GROUND
    if rng.random() < 0.3:
        wide = rng.uniform(4, 12) / plot.gsd
        where = cover(
            rectangle(rng.uniform(0, plot.size, 2), rng.uniform(0.3, 2) * plot.size, wide, plot.angle), plot.size
        )
        lay(picture, _paved(plot, rng), where)
        target[where > 0.5] = DetailChange.GROUND


def _yard(
    picture: Picture, target: NDArray[np.uint8], building: Building, plot: Plot, rng: np.random.Generator
) -> None:
    """Ground that was dug or paved around a building, in place."""
    x, y, along, across = building.wings[0]
    wider = 2 * rng.uniform(2, 15) / plot.gsd
    where = cover(rectangle(np.array([x, y]), along + wider, across + wider, building.angle), plot.size)
    paint = _paved(plot, rng) if rng.random() < 0.4 else _bare(plot, rng)
    lay(picture, paint, where)
    target[where > 0.5] = DetailChange.GROUND


def _pasted(picture: Picture, target: NDArray[np.uint8], ground: Ground, plot: Plot, rng: np.random.Generator) -> None:
    """A piece of a real built-up place where there was other ground, in place."""
    where = _piece(plot, (40, 160), rng)
    lay(picture, ground.of(BUILT_UP, plot.size, plot.gsd, rng), where)
    target[where > 0.5] = UNSURE


def _piece(plot: Plot, lengths_m: tuple[float, float], rng: np.random.Generator) -> Cover:
    """A field or an irregular piece of ground."""
    length = float(np.exp(rng.uniform(*np.log(lengths_m)))) / plot.gsd
    centre: Points = rng.uniform(0, plot.size, 2)
    if rng.random() < 0.5:
        return cover(rectangle(centre, length, length * rng.uniform(0.3, 1), rng.uniform(0, np.pi)), plot.size)
    return cover(blob(centre, length / 2, rng), plot.size)


def _bare(plot: Plot, rng: np.random.Generator) -> Picture:
    """Soil with lumps, and perhaps tracks of machines."""
    soil = _SOILS[rng.integers(len(_SOILS))] * np.float32(np.exp(rng.normal(0, 0.15)))
    light = 1 + lumps(plot.size, max(3.0, rng.uniform(5, 40) / plot.gsd), rng, 4) * np.float32(rng.uniform(0.03, 0.12))
    if rng.random() < 0.4:
        rows = np.arange(plot.size) * np.sin(plot.angle)
        waves = np.sin(
            (rows[:, None] + np.arange(plot.size)[None] * np.cos(plot.angle))
            * 2
            * np.pi
            * plot.gsd
            / rng.uniform(1.5, 6)
        )
        light += np.float32(rng.uniform(0.02, 0.08)) * waves.astype(np.float32)
    return np.clip(soil * light[..., None], 0, 1).astype(np.float32)


def _paved(plot: Plot, rng: np.random.Generator) -> Picture:
    colour = _PAVING[rng.integers(len(_PAVING))] * np.float32(np.exp(rng.normal(0, 0.15)))
    light = 1 + lumps(plot.size, max(3.0, 15 / plot.gsd), rng, 2) * np.float32(rng.uniform(0.01, 0.05))
    return np.clip(colour * light[..., None], 0, 1).astype(np.float32)


def _cars(picture: Picture, plot: Plot, rng: np.random.Generator) -> None:
    if plot.gsd > 0.8:
        return
    for _ in range(int(rng.integers(0, 12))):
        car = rectangle(
            rng.uniform(0, plot.size, 2), 4.5 / plot.gsd, 1.9 / plot.gsd, plot.angle + rng.choice((0, np.pi / 2))
        )
        lay(
            picture,
            np.clip(np.full(3, rng.uniform(0, 1)) + rng.normal(0, 0.1, 3), 0, 1).astype(np.float32),
            cover(car, plot.size),
        )


def _cloud(picture: Picture, target: NDArray[np.uint8], plot: Plot, rng: np.random.Generator) -> None:
    """A cloud with soft edges, in place: what it hides counts as unchanged."""
    sharp = cover(blob(rng.uniform(0, plot.size, 2), plot.size * rng.uniform(0.1, 0.5), rng), plot.size)
    soft = np.asarray(cv2.GaussianBlur(sharp, (0, 0), plot.size * rng.uniform(0.02, 0.1)), np.float32)
    white = np.float32(rng.uniform(0.8, 0.97)) + lumps(plot.size, plot.size / 3, rng)[..., None] * np.float32(0.04)
    lay(picture, np.repeat(np.clip(white, 0, 1), 3, 2), np.clip(soft * np.float32(rng.uniform(0.7, 1.4)), 0, 1))
    target[soft > 0.3] = DetailChange.AS_BEFORE


def _photographed(before: Picture, after: Picture, target: NDArray[np.uint8], rng: np.random.Generator) -> DrawnPair:
    """Both dates through a camera, the second shifted a little and brought to the brightness of the first."""
    size = target.shape[0]
    matrix = np.eye(2, 3)
    matrix[:, 2] = rng.normal(0, 1.0, 2)
    moved = [
        cv2.warpAffine(layer, matrix, (size, size), flags=how, borderMode=cv2.BORDER_REFLECT)
        for layer, how in ((after, cv2.INTER_LINEAR), (target, cv2.INTER_NEAREST))
    ]
    pictures = [varied(_bytes(each), rng) for each in (before, np.asarray(moved[0], np.float32))]
    if rng.random() < 0.8:
        pictures[1] = alike(pictures[1], pictures[0])
    return DrawnPair(pictures[0], pictures[1], np.asarray(moved[1], np.uint8))


def alike(picture: NDArray[np.uint8], reference: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture [rows, columns, 3] in the brightness of a reference, as the service makes it before it compares."""
    layers = [np.ascontiguousarray(each.transpose(2, 0, 1), np.float32) / 255 for each in (picture, reference)]
    same = normalised(np.maximum(layers[0], 1e-3), np.maximum(layers[1], 1e-3), np.ones(picture.shape[:2], bool))
    return _bytes(same.transpose(1, 2, 0))


def _bytes(picture: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)
