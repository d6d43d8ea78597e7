"""A site through its dates: the pictures that a sensor took of it, and the truth."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.progress_monitor.meaning.stages import Stage
from training.progress.simulator.air import Weather, draw_weather, seen_through
from training.progress.simulator.backgrounds import Background, DrawnCountryside
from training.progress.simulator.canvas import Canvas
from training.progress.simulator.layout import Layout, draw_layout
from training.progress.simulator.materials import SURFACES
from training.progress.simulator.scene import Scene, draw_sun
from training.progress.simulator.schedule import Schedule, Work, draw_schedule
from training.progress.simulator.sensors import SENTINEL2, Sensor, Shot, draw_shot, measured, warped

MakeBackground = Callable[[Canvas, np.random.Generator], Background]

_OVERSAMPLING = 3
"""Pixels of the fine canvas per pixel of the sensor and axis."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture with its truth.

    Attributes:
        day: Day of acquisition, counted from a first of January.
        reflectance: [bands of the sensor, rows, columns].
        shares: Share of each pixel that has become each `Surface`, where the pixel truly lies;
            [surfaces, rows, columns].
        shares_seen: The same, displaced as the picture is.
        unusable: Share of each pixel that cloud, shadow or snow hides, displaced as the picture is; [rows, columns].
        shot: How it was taken.
        stage: The stage.
        progress: In [0, 1].
    """

    day: float
    reflectance: NDArray[np.float32]
    shares: NDArray[np.float32]
    shares_seen: NDArray[np.float32]
    unusable: NDArray[np.float32]
    shot: Shot
    stage: Stage
    progress: float


@dataclass(frozen=True, slots=True)
class Series:
    """A site through its dates.

    Attributes:
        layout: What is planned where.
        schedule: When it is built.
        sensor: What took the pictures.
        pictures: In order of time.
    """

    layout: Layout
    schedule: Schedule
    sensor: Sensor
    pictures: Sequence[Picture]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a series should be like.

    Attributes:
        dates: Number of pictures.
        sensor: What takes them.
        side: Longer side of the site in metres; drawn where it is None.
        started: Whether work begins at all; drawn where it is None.
        stalled: Whether work pauses; drawn where it is None.
        neighbour: Whether another site is built outside the polygon; drawn where it is None.
        clear: Whether the sky is always clear.
        aligned: Whether the pictures lie as they do after registration, within a third of a pixel.
        latitude: In degrees; drawn where it is None.
    """

    dates: int = 24
    sensor: Sensor = SENTINEL2
    side: float | None = None
    started: bool | None = None
    stalled: bool | None = None
    neighbour: bool | None = None
    clear: bool = False
    aligned: bool = False
    latitude: float | None = None


def draw_series(rng: np.random.Generator, wish: Wish = Wish(), background: MakeBackground = DrawnCountryside) -> Series:
    """Draws a site and takes its pictures.

    Args:
        rng: Source of chance: the same state gives the same series.
        wish: What it should be like.
        background: Makes the ground around and before.
    """
    layout = draw_layout(rng, wish.side)
    canvas = Canvas(layout.extent, wish.sensor.gsd / _OVERSAMPLING)
    ground: Background = background(canvas, rng)
    latitude = wish.latitude if wish.latitude is not None else float(rng.uniform(18, 48))
    first = float(rng.uniform(0, 365))
    schedule = _schedule(layout, first, rng, wish)
    if wish.neighbour if wish.neighbour is not None else rng.random() < 0.15:
        ground = _Neighbour(ground, canvas, layout, first, rng)
    scene = Scene(canvas, layout, schedule, ground, rng)
    span = _span(schedule, first, rng)
    days = np.sort(first + np.concatenate(([0.0], rng.uniform(0.02, 1.0, wish.dates - 1))) * span)
    pictures = []
    for day in days:
        sun = draw_sun(float(day), latitude)
        glint = float(rng.uniform(0.1, 0.5)) if rng.random() < 0.08 else 0.0
        look = scene.look(float(day), sun, glint=glint)
        weather = Weather() if wish.clear else draw_weather(rng, float(day), latitude)
        if day == days[0]:  # the operator chooses a clear first picture, for all others are compared with it
            weather = Weather(haze=weather.haze)
        seen = seen_through(look.reflectance, weather, canvas, sun, rng)
        shot = draw_shot(rng, len(wish.sensor.bands), aligned=wish.aligned)
        still = Shot((0.0, 0.0), 0.0, shot.gain, shot.offset)
        masks = np.stack([look.surface == surface for surface in SURFACES]).astype(np.float32)
        pictures.append(
            Picture(
                day=float(day),
                reflectance=measured(seen.reflectance, canvas, wish.sensor, shot, rng),
                shares=warped(masks, canvas, wish.sensor, still),
                shares_seen=warped(masks, canvas, wish.sensor, shot),
                unusable=warped(seen.unusable[None].astype(np.float32), canvas, wish.sensor, shot)[0],
                shot=shot,
                stage=schedule.stage(float(day)),
                progress=schedule.progress(float(day)),
            )
        )
    return Series(layout, schedule, wish.sensor, pictures)


def _schedule(layout: Layout, first: float, rng: np.random.Generator, wish: Wish) -> Schedule:
    areas = [building.outline.area for building in layout.buildings]
    starts = wish.started if wish.started is not None else rng.random() < 0.88
    stalls = wish.stalled if wish.stalled is not None else rng.random() < 0.2
    start = first + float(rng.uniform(20, 160))
    schedule = draw_schedule(areas, start, rng, stalled=stalls)
    if starts:
        return schedule
    return Schedule(np.inf, schedule.days, [Work(area, 0.0, 1.0) for area in areas], 0.6)


def _span(schedule: Schedule, first: float, rng: np.random.Generator) -> float:
    """Days from the first picture to the last: most series end before the work does."""
    if not np.isfinite(schedule.start):
        return float(rng.uniform(300, 900))
    return float(schedule.finish - first) * float(rng.uniform(0.45, 1.25)) + 20.0


class _Neighbour:
    """Ground on which somebody else builds, outside the polygon.

    Args:
        ground: What was there before.
        canvas: Where.
        layout: The site that must be left alone.
        first: Day of the first picture.
        rng: Source of chance.
    """

    def __init__(
        self, ground: Background, canvas: Canvas, layout: Layout, first: float, rng: np.random.Generator
    ) -> None:
        other = draw_layout(rng, float(rng.uniform(160, 260)))
        angle = float(rng.uniform(0, 2 * np.pi))
        reach = layout.extent * 0.5 - 90.0
        place = (reach * float(np.cos(angle)), reach * float(np.sin(angle)))
        moved = other.moved(place, layout.site.buffer(25))
        areas = [building.outline.area for building in moved.buildings] or [1.0]
        schedule = draw_schedule(areas, first + float(rng.uniform(20, 300)), rng, stalled=False)
        self._scene = Scene(canvas, moved, schedule, ground, rng)

    def at(self, day: float) -> NDArray[np.float32]:
        """Its reflectance on a day."""
        return self._scene.look(day, draw_sun(day, 35.0)).reflectance
