"""What stands between the ground and the sensor: haze, clouds and their shadows, snow."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.progress.simulator.backgrounds import Reflectance
from training.progress.simulator.canvas import Canvas, Field
from training.progress.simulator.materials import SNOW
from training.progress.simulator.scene import Sun

_WAVELENGTHS = np.array((0.49, 0.56, 0.665, 0.84, 1.61, 2.19), np.float32)
_CLOUD = np.array((0.72, 0.72, 0.72, 0.74, 0.55, 0.42), np.float32)


@dataclass(frozen=True, slots=True)
class Weather:
    """The sky over one picture.

    Attributes:
        haze: Reflectance that it adds in the blue.
        cloud_cover: Share of the picture below clouds, 0 to 1.
        thickness: Opacity of the thickest cloud, 0 to 1.
        snow_cover: Share of the ground below snow, 0 to 1.
    """

    haze: float = 0.0
    cloud_cover: float = 0.0
    thickness: float = 1.0
    snow_cover: float = 0.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What arrives at the sensor.

    Attributes:
        reflectance: [bands, rows, columns].
        unusable: Where cloud, shadow of a cloud or snow hides the ground; bool [rows, columns].
    """

    reflectance: Reflectance
    unusable: NDArray[np.bool_]


def draw_weather(rng: np.random.Generator, day: float, latitude: float) -> Weather:
    """The sky on a day: mostly clear, for operators choose their pictures."""
    cloud = float(rng.beta(0.6, 1.6)) if rng.random() < 0.45 else 0.0
    winter = np.cos(2 * np.pi * (day - 15.0) / 365.0) > 0.6
    snow = float(rng.uniform(0.3, 1.0)) if winter and latitude > 33 and rng.random() < 0.35 else 0.0
    return Weather(
        haze=float(rng.exponential(0.03)) if rng.random() < 0.5 else 0.0,
        cloud_cover=cloud,
        thickness=float(rng.uniform(0.35, 1.0)),
        snow_cover=snow,
    )


def seen_through(picture: Reflectance, weather: Weather, canvas: Canvas, sun: Sun, rng: np.random.Generator) -> Seen:
    """The ground as it looks through the sky.

    Args:
        picture: Reflectance of the ground.
        weather: The sky.
        canvas: The picture's raster.
        sun: Where the sun stands: clouds throw their shadows away from it.
        rng: Source of chance.
    """
    hidden = np.zeros(picture.shape[1:], bool)
    if weather.snow_cover > 0:
        lumps = canvas.noise(rng, 200, 5)
        covered = lumps > np.quantile(lumps, 1 - weather.snow_cover)
        white = np.array(SNOW.spectrum, np.float32)[:, None] * np.float32(rng.uniform(0.75, 1.0))
        picture = picture.copy()
        picture[:, covered] = picture[:, covered] * 0.12 + white * 0.88
        hidden |= covered
    if weather.cloud_cover > 0:
        opacity = _clouds(weather, canvas, rng)
        dx, dy = (offset / canvas.gsd for offset in sun.shadow(float(rng.uniform(60, 250))))
        moved = cv2.warpAffine(
            opacity, np.array([[1, 0, dx], [0, 1, dy]], np.float32), opacity.shape[::-1], borderMode=cv2.BORDER_REFLECT
        )
        picture = picture * (1 - 0.6 * moved)
        picture = picture * (1 - opacity) + _CLOUD[:, None, None] * opacity
        hidden |= (opacity > 0.25) | (moved > 0.35)
    if weather.haze > 0:
        added = weather.haze * (_WAVELENGTHS / _WAVELENGTHS[0]) ** -1.3
        lumps = 1 + 0.25 * canvas.noise(rng, 900, 2)
        picture = picture * (1 - added[:, None, None]) + added[:, None, None] * lumps
    return Seen(picture.astype(np.float32), hidden)


def _clouds(weather: Weather, canvas: Canvas, rng: np.random.Generator) -> Field:
    lumps = canvas.noise(rng, float(rng.uniform(300, 1200)), 6)
    edge = float(np.quantile(lumps, 1 - weather.cloud_cover))
    soft = np.clip((lumps - edge) / 0.5 + 0.3, 0, 1) * weather.thickness
    return np.where(lumps > edge - 0.15, soft, 0).astype(np.float32)
