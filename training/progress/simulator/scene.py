"""One site on one day, seen through clear air: reflectance and truth."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.affinity import translate

from services.progress_monitor.change.surfaces import Surface
from training.progress.simulator.backgrounds import Background, Reflectance
from training.progress.simulator.canvas import Canvas, Field, Mask
from training.progress.simulator.layout import Building, Layout
from training.progress.simulator.materials import ASPHALT, CONCRETE, FRAME, LEAVES, ROOFS, SOILS, drawn
from training.progress.simulator.schedule import PHASES, Schedule, Work

_SHADE = 0.38
"""Light that shaded ground still gets, of the whole sky's."""


@dataclass(frozen=True, slots=True)
class Sun:
    """Where the sun stands.

    Attributes:
        elevation: Degrees above the horizon.
        azimuth: Degrees clockwise from north.
    """

    elevation: float
    azimuth: float

    def shadow(self, height: float) -> tuple[float, float]:
        """Metres (x to the right, y down) from the foot of something to the end of its shadow."""
        length = min(height / np.tan(np.deg2rad(self.elevation)), 120.0)
        away = np.deg2rad(self.azimuth + 180.0)
        return float(length * np.sin(away)), float(-length * np.cos(away))


@dataclass(frozen=True, slots=True)
class Look:
    """A site on one day.

    Attributes:
        reflectance: [bands, rows, columns].
        surface: What each pixel has become, of `Surface`; uint8 [rows, columns].
    """

    reflectance: Reflectance
    surface: NDArray[np.uint8]


class Scene:
    """A site that can be looked at on any day.

    Args:
        canvas: Fine raster on which it is drawn.
        layout: What is planned where.
        schedule: When it is built.
        background: What was there before and is around.
        rng: Source of chance; drawn from once, so that days can be looked at in any order.
    """

    def __init__(
        self, canvas: Canvas, layout: Layout, schedule: Schedule, background: Background, rng: np.random.Generator
    ) -> None:
        self._canvas, self._layout, self._schedule, self._background = canvas, layout, schedule, background
        self._site = canvas.mask(layout.site)
        self._paved = canvas.mask(layout.paved)
        self._plots = [_Plot(canvas, building) for building in layout.buildings]
        self._soil = drawn(SOILS[int(rng.choice(5, p=[0.3, 0.3, 0.2, 0.15, 0.05]))], rng)
        self._grass = drawn(LEAVES[1], rng)
        self._concrete = drawn(CONCRETE[int(rng.integers(2))], rng)
        self._frame = drawn(FRAME[int(rng.integers(2))], rng)
        self._road = drawn(ASPHALT if rng.random() < 0.6 else CONCRETE[0], rng)
        chosen = rng.choice(len(ROOFS), 3, p=[0.25, 0.2, 0.25, 0.08, 0.12, 0.10])
        main = drawn(ROOFS[int(chosen[0])], rng)
        self._roofs = [main, main, drawn(ROOFS[int(chosen[1])], rng)]
        self._rough = canvas.noise(rng, 45, 5)
        self._grain = rng.normal(0, 1, (canvas.size, canvas.size)).astype(np.float32)
        x, y = canvas.coordinates()
        angle = rng.uniform(0, 2 * np.pi)
        sweep = x * np.cos(angle) + y * np.sin(angle) + 25 * canvas.noise(rng, 150, 3)
        self._sweep = _ranked(sweep, self._site)
        self._lawn = canvas.noise(rng, 80, 3) > rng.uniform(-0.8, 0.8)
        self._pit = float(rng.uniform(0.45, 0.9))

    def look(self, day: float, sun: Sun, *, glint: float = 0.0) -> Look:
        """The site on a day.

        Args:
            day: Counted from a first of January.
            sun: Where the sun stands.
            glint: Mirror light from roofs, as reflectance.
        """
        picture = self._background.at(day)
        surface = np.full(self._site.shape, Surface.AS_BEFORE, np.uint8)
        clock = self._schedule.clock(day)
        if clock <= 0:
            return Look(picture, surface)
        self._clear(picture, surface, clock, day)
        self._pave(picture, surface, day)
        heights = [plot.build(self, picture, surface, work.time(clock), glint) for plot, work in self._works()]
        for plot, height in zip(self._plots, heights, strict=True):
            if height > 0:
                self._shade(picture, plot.building, height, sun)
        return Look(picture, surface)

    def paint(  # noqa: PLR0913, PLR0917  # what covering some pixels needs
        self,
        picture: Reflectance,
        surface: NDArray[np.uint8],
        mask: Mask,
        spectrum: NDArray[np.float32],
        texture: Field,
        became: Surface,
    ) -> None:
        """Covers pixels with a material."""
        picture[:, mask] = spectrum[:, None] * np.exp(texture[mask])
        surface[mask] = became

    @property
    def grain(self) -> Field:
        """Noise of deviation 1 in every pixel, the same on all days."""
        return self._grain

    @property
    def rough(self) -> Field:
        """Lumpy noise of deviation 1, the same on all days."""
        return self._rough

    def spectrum(self, name: str, roof: int = 0) -> NDArray[np.float32]:
        """Reflectance of the site's own soil, concrete, frame, pit or roof."""
        return {
            "concrete": self._concrete,
            "frame": self._frame,
            "pit": self._soil * np.float32(self._pit),
            "roof": self._roofs[roof],
        }[name]

    def _works(self) -> list[tuple["_Plot", Work]]:
        return list(zip(self._plots, self._schedule.works, strict=True))

    def _clear(self, picture: Reflectance, surface: NDArray[np.uint8], clock: float, day: float) -> None:
        reached = clock / 0.10
        bare = self._site & (self._sweep < reached)
        wet = np.float32(np.exp(0.12 * np.sin(day / 9.0)))
        self.paint(picture, surface, bare, self._soil * wet, 0.13 * self._rough + 0.06 * self._grain, Surface.CLEARED)
        since = day - self._schedule.start - 0.9 * self._schedule.days
        if clock > 0.9 and since > 0:
            grown = float(np.clip(since / 240.0, 0, 0.85))
            lawn = bare & self._lawn
            picture[:, lawn] = picture[:, lawn] * (1 - grown) + self._grass[:, None] * grown
            if grown > 0.4:
                surface[lawn] = Surface.AS_BEFORE

    def _pave(self, picture: Reflectance, surface: NDArray[np.uint8], day: float) -> None:
        done = self._paved & (self._sweep < self._schedule.paved(day))
        self.paint(picture, surface, done, self._road, 0.05 * self._rough + 0.04 * self._grain, Surface.PAVED)

    def _shade(self, picture: Reflectance, building: Building, height: float, sun: Sun) -> None:
        dx, dy = sun.shadow(height)
        thrown = shapely.union(building.outline, translate(building.outline, dx, dy)).convex_hull
        shaded = self._canvas.mask(thrown) & ~self._canvas.mask(building.outline)
        picture[:, shaded] *= _SHADE


class _Plot:
    """One building's ground.

    Args:
        canvas: Where.
        building: What is planned there.
    """

    def __init__(self, canvas: Canvas, building: Building) -> None:
        self.building = building
        self._mask = canvas.mask(building.outline)
        x, y = canvas.coordinates()
        along = x * building.along[0] + y * building.along[1]
        self._along = _ranked(along, self._mask)
        across = -x * building.along[1] + y * building.along[0]
        bay = (np.mod(along, 9.0) < 2.0) | (np.mod(across, 9.0) < 2.0)
        self._bays = np.where(bay, np.float32(0.35), np.float32(-0.35)).astype(np.float32)
        self._seams = np.where(np.mod(across, 6.0) < 0.7, np.float32(-0.12), np.float32(0.02)).astype(np.float32)

    def build(self, scene: Scene, picture: Reflectance, surface: NDArray[np.uint8], time: float, glint: float) -> float:
        """Draws the building at a share of its own time; returns its height so far, in metres."""
        reached = [float(np.clip((time - begin) / (end - begin), 0, 1)) for begin, end in PHASES]
        if reached[1] > 0:
            dug = self._mask & (self._along < min(1.0, reached[1] * 1.6))
            scene.paint(picture, surface, dug, scene.spectrum("pit"), 0.2 * scene.rough, Surface.FOUNDATION)
            slab = self._mask & (self._along < reached[1])
            texture = 0.06 * scene.grain + 0.10 * self._bays
            scene.paint(picture, surface, slab, scene.spectrum("concrete"), texture, Surface.FOUNDATION)
        if reached[2] > 0:
            frame = self._mask & (self._along < reached[2])
            scene.paint(picture, surface, frame, scene.spectrum("frame"), self._bays, Surface.STRUCTURE)
        if reached[3] > 0:
            roof = self._mask & (self._along < reached[3])
            lit = scene.spectrum("roof", self.building.roof) + np.float32(glint)
            scene.paint(picture, surface, roof, lit, self._seams + 0.03 * scene.grain, Surface.COVERED)
        return self.building.height * max(reached[2], reached[3])


def _ranked(values: Field, mask: Mask) -> Field:
    """Values as shares of a mask that lie below them, infinite outside it."""
    ranks = np.full(values.shape, np.inf, np.float32)
    inside = values[mask]
    ranks[mask] = np.argsort(np.argsort(inside)).astype(np.float32) / max(1, len(inside))
    return ranks


def draw_sun(day: float, latitude: float, hour_angle: float = -20.0) -> Sun:
    """Where the sun stands in the late morning of a day.

    Args:
        day: Counted from a first of January.
        latitude: In degrees.
        hour_angle: Degrees after noon.
    """
    declination = np.deg2rad(23.44) * np.sin(2 * np.pi * (day - 80.0) / 365.0)
    lat, hour = np.deg2rad(latitude), np.deg2rad(hour_angle)
    high = np.sin(lat) * np.sin(declination) + np.cos(lat) * np.cos(declination) * np.cos(hour)
    elevation = np.arcsin(np.clip(high, 0.1, 1.0))
    azimuth = np.arctan2(
        -np.cos(declination) * np.sin(hour),
        np.sin(declination) * np.cos(lat) - np.cos(declination) * np.sin(lat) * np.cos(hour),
    )
    return Sun(float(np.rad2deg(elevation)), float(np.rad2deg(azimuth) % 360))
