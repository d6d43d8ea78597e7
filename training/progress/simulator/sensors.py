"""From what arrives at a sensor to its pixels: geometry, blur, noise, calibration and digital numbers."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.progress.simulator.backgrounds import Reflectance
from training.progress.simulator.canvas import Canvas


@dataclass(frozen=True, slots=True)
class Sensor:
    """One kind of picture.

    Attributes:
        name: As `services.progress_monitor` names it.
        bands: Positions in `BANDS` of the bands that it has, in its order.
        gsd: Metres per pixel.
        blur: Deviation of its point spread, in pixels.
        noise: Deviation of its noise, as reflectance.
    """

    name: str
    bands: tuple[int, ...]
    gsd: float
    blur: float
    noise: float


SENTINEL2 = Sensor("sentinel2_l2a", (0, 1, 2, 3, 4, 5), 10.0, 0.45, 0.004)
LANDSAT = Sensor("landsat_l2", (0, 1, 2, 3, 4, 5), 30.0, 0.45, 0.004)
AERIAL = Sensor("rgb", (2, 1, 0), 0.5, 0.6, 0.008)


@dataclass(frozen=True, slots=True)
class Shot:
    """How one picture was taken.

    Attributes:
        shift: Pixels (x, y) by which the picture is displaced.
        rotation: Degrees by which it is turned around its centre.
        gain: Factor per band.
        offset: Reflectance added per band.
    """

    shift: tuple[float, float]
    rotation: float
    gain: NDArray[np.float32]
    offset: NDArray[np.float32]


_WORST_SHIFT = 3.0


def draw_shot(rng: np.random.Generator, bands: int, *, aligned: bool = False) -> Shot:
    """A picture as they come, usually within a pixel, sometimes worse, hardly turned; or as registration leaves it."""
    reach = 0.15 if aligned else 0.4 if rng.random() < 0.8 else _WORST_SHIFT / 2
    shift = np.clip(rng.normal(0, reach, 2), -_WORST_SHIFT, _WORST_SHIFT)
    turned = 0.0 if aligned else 0.05 if rng.random() < 0.9 else 0.5
    rotation = float(np.clip(rng.normal(0, turned), -1, 1))
    gain = np.exp(rng.normal(0, 0.05) + rng.normal(0, 0.02, bands)).astype(np.float32)
    return Shot((float(shift[0]), float(shift[1])), rotation, gain, rng.normal(0, 0.004, bands).astype(np.float32))


def warped(layers: NDArray[np.float32], canvas: Canvas, sensor: Sensor, shot: Shot) -> NDArray[np.float32]:
    """Layers [n, rows, columns] of the fine canvas on the sensor's pixels, displaced as the shot is."""
    scale = sensor.gsd / canvas.gsd
    centre = ((canvas.size - 1) / 2, (canvas.size - 1) / 2)
    matrix = cv2.getRotationMatrix2D(centre, shot.rotation, 1.0)
    matrix[:, 2] += np.multiply(shot.shift, scale)
    size = round(canvas.extent / sensor.gsd)
    sigma = sensor.blur * scale
    out = []
    for layer in layers:
        moved = cv2.warpAffine(
            layer, matrix, (canvas.size, canvas.size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )
        soft = cv2.GaussianBlur(moved, (0, 0), sigma) if sigma > 0.3 else moved
        out.append(cv2.resize(soft, (size, size), interpolation=cv2.INTER_AREA))
    return np.stack(out)


def measured(
    picture: Reflectance, canvas: Canvas, sensor: Sensor, shot: Shot, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Reflectance [bands, rows, columns] as the sensor measures it."""
    pixels = warped(picture[list(sensor.bands)], canvas, sensor, shot)
    pixels = pixels * shot.gain[:, None, None] + shot.offset[:, None, None]
    pixels += rng.normal(0, sensor.noise, pixels.shape)
    return np.clip(pixels, 0.0005, 1.4).astype(np.float32)
