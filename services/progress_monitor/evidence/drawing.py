"""Pictures that prove: the site before and after in natural colour, and what has changed drawn over it."""

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from services.progress_monitor.change.surfaces import Surface
from services.progress_monitor.grid import Grid

COLOURS = {
    Surface.CLEARED: (214, 158, 92),
    Surface.FOUNDATION: (240, 220, 70),
    Surface.STRUCTURE: (245, 130, 32),
    Surface.COVERED: (214, 40, 57),
    Surface.PAVED: (108, 116, 190),
    Surface.HIDDEN: (235, 235, 235),
}
"""Red, green and blue of every surface that is drawn."""

_SIDE = 900
"""About how many pixels the longer side of a drawn picture has."""
_BRIGHTEST = 0.98
_GAMMA = 0.8
_OPACITY = 0.55

Image = NDArray[np.uint8]


def natural_colour(reflectance: NDArray[np.float32], stretch: float | None = None) -> Image:
    """A picture as the eye would see it.

    Args:
        reflectance: [6, rows, columns]; zero where there is none.
        stretch: Reflectance that is white, as `white_of` gives it; None for this picture's own.

    Returns:
        [rows, columns, 3], red first; black where there is no picture.
    """
    visible = reflectance[[2, 1, 0]].transpose(1, 2, 0)
    scaled = np.clip(visible / (stretch or white_of(reflectance)), 0, 1) ** _GAMMA
    picture: Image = np.round(scaled * 255).astype(np.uint8)
    return picture


def white_of(reflectance: NDArray[np.float32]) -> float:
    """Reflectance that is drawn white, so that the ground is neither dark nor burnt out."""
    there = reflectance[:3][:, (reflectance[:3] > 0).all(0)]
    return float(np.clip(np.quantile(there, _BRIGHTEST) * 1.15, 0.08, 1.0)) if there.size else 1.0


def overlay(
    picture: Image, surfaces: NDArray[np.uint8], usable: NDArray[np.bool_], grid: Grid, site: BaseGeometry
) -> Image:
    """What has changed, over a picture, with the site's outline.

    Args:
        picture: [rows, columns, 3].
        surfaces: The most probable `Surface` of each pixel.
        usable: Pixels that show the ground.
        grid: The raster.
        site: The polygon in the grid's metres.
    """
    drawn = picture.astype(np.float32)
    shown = np.where(usable, surfaces, Surface.HIDDEN)
    for surface, colour in COLOURS.items():
        mask = shown == surface
        drawn[mask] = drawn[mask] * (1 - _OPACITY) + np.array(colour, np.float32) * _OPACITY
    return outlined(enlarged(np.round(drawn).astype(np.uint8)), grid, site)


def enlarged(picture: Image) -> Image:
    """A picture large enough to be looked at, pixel by pixel."""
    factor = max(1, round(_SIDE / max(picture.shape[:2])))
    return np.repeat(np.repeat(picture, factor, 0), factor, 1)


def outlined(picture: Image, grid: Grid, site: BaseGeometry) -> Image:
    """A picture, enlarged or not, with the site's outline."""
    scale = picture.shape[1] / grid.width
    out = np.ascontiguousarray(picture)
    for polygon in shapely.get_parts(site):
        for ring in (polygon.exterior, *polygon.interiors):
            points = np.asarray(ring.coords)[:, :2]
            columns, rows = ~grid.transform * (points[:, 0], points[:, 1])
            corners = np.round(np.stack((columns, rows), 1) * scale).astype(np.int32)
            cv2.polylines(out, [corners], isClosed=True, color=(0, 0, 0), thickness=4, lineType=cv2.LINE_AA)
            cv2.polylines(out, [corners], isClosed=True, color=(255, 255, 255), thickness=2, lineType=cv2.LINE_AA)
    return out


def png(picture: Image) -> bytes:
    """A picture as a PNG file."""
    _, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    return data.tobytes()
