"""A comparison made finer where both dates are sub-metre colour: which pixels were built on, and what follows for 10 m.

Only buildings are taken from the finer pictures. What happened to the ground, and how far a building is, stays the 10 m
model's word: it was fitted for that.
"""

import asyncio
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from services.progress_monitor.alignment.radiometry import Line, brightness_lines
from services.progress_monitor.alignment.registration import Registration, aligned, brightness, register
from services.progress_monitor.change.detail import DetailChange, DetailModel
from services.progress_monitor.change.surfaces import BUILT, Surface
from services.progress_monitor.comparison import Comparison
from services.progress_monitor.grid import Grid
from services.progress_monitor.meaning.measures import measure
from services.progress_monitor.pixels import DetailFindings
from services.progress_monitor.site import Site

Rgb = NDArray[np.uint8]
"""A sub-metre picture [3, rows, columns]; zero where there is none."""

BUILT_PERCENT = 50
"""From which likelihood on a pixel counts as built on."""
_OVERVIEW = 4
"""Pixels of the finer grid, along each axis, that are one of the picture by which two dates are registered."""
_SEEN = 0.5
"""Share of a pixel of the 10 m grid that both dates must show for the finer word to count."""
_UNKNOWN = 1e-3
"""Probability that every kind keeps when probabilities are dealt anew."""


@dataclass(frozen=True, slots=True)
class Detailed:
    """A comparison with its finer part.

    Attributes:
        comparison: As it stands now.
        findings: What the finer grid shows.
    """

    comparison: Comparison
    findings: DetailFindings


async def detailed(
    seen: Comparison,
    dates: tuple[Rgb, Rgb],
    site: Site,
    model: DetailModel,
    *,
    timeout: float,  # noqa: ASYNC109  # part of a deadline
) -> Detailed | None:
    """Makes a comparison finer.

    Args:
        seen: What the 10 m grid shows.
        dates: The reference and the date on the site's finer grid.
        site: The site; it has a finer grid.
        model: The sub-metre model.
        timeout: Seconds until the answer is of no use any more.

    Returns:
        The finer comparison; None where the two pictures cannot be laid onto each other.

    Raises:
        BankaiError: As the model.
    """
    if site.detail is None:
        return None
    before, after = dates
    ready = await asyncio.to_thread(_comparable, before, after)
    if ready is None:
        return None
    moved, lines = ready
    percent, version = await model.changes(before, moved, lines, timeout=timeout)
    built = percent[DetailChange.BUILT] >= BUILT_PERCENT
    shown = np.asarray((before > 0).all(0) & (moved > 0).all(0))
    return await asyncio.to_thread(_merged, seen, built, shown, site, site.detail, version)


def _comparable(before: Rgb, after: Rgb) -> tuple[Rgb, list[Line]] | None:
    """The date laid onto the reference, and the lines to its brightness; None where it cannot be laid."""
    small = [_overview(picture) for picture in (before, after)]
    both = np.asarray((small[0] > 0).all(0) & (small[1] > 0).all(0))
    found = register(brightness(small[1]), brightness(small[0]), both)
    if not found.good:
        return None
    lines = brightness_lines(aligned(small[1], found), small[0], both)
    full = Registration(found.dx * _OVERVIEW, found.dy * _OVERVIEW, found.turn, found.quality)
    # Band by band: as numbers of four bytes the whole picture would take four times its memory.
    bands = [aligned(np.asarray(band[None], np.float32), full)[0] for band in after]
    return np.stack([np.clip(np.round(band), band > 0, 255).astype(np.uint8) for band in bands]), lines


def _overview(picture: Rgb) -> NDArray[np.float32]:
    """A picture in 0..1 at a quarter of its resolution."""
    size = (picture.shape[2] // _OVERVIEW, picture.shape[1] // _OVERVIEW)
    layers = [cv2.resize(band, size, interpolation=cv2.INTER_AREA) for band in picture]
    return np.asarray(np.stack(layers), np.float32) / np.float32(255)


def _merged(  # noqa: PLR0913, PLR0917  # both grids' findings
    seen: Comparison, built: NDArray[np.bool_], shown: NDArray[np.bool_], site: Site, detail: Grid, version: str
) -> Detailed:
    place, times = _place(detail, site.grid)
    share = np.full(site.grid.shape, np.nan, np.float32)
    share[place] = _share(built, shown, times)
    surfaces = _with_buildings(seen.surfaces, share)
    seen = replace(seen, usable=seen.usable | _roofs(share))
    phase = np.array(BUILT, np.uint8)[seen.surfaces[list(BUILT)][:, *place].argmax(0)]
    kinds = np.where(built & shown, _repeated(phase, times), Surface.AS_BEFORE).astype(np.uint8)
    usable = shown & _repeated(seen.usable[place], times).astype(bool)
    comparison = replace(
        seen,
        surfaces=surfaces,
        measures=measure(surfaces, seen.usable, site.frame.site, site.frame.ring),
        model_version=f"{seen.model_version}+rgb{version}",
    )
    return Detailed(comparison, DetailFindings(kinds, usable))


def _place(detail: Grid, grid: Grid) -> tuple[tuple[slice, slice], int]:
    """Rows and columns of the 10 m grid that the finer one covers, and how many of its pixels are one of them."""
    times = round(grid.gsd / detail.gsd)
    top, left = round((grid.top - detail.top) / grid.gsd), round((detail.left - grid.left) / grid.gsd)
    return (slice(top, top + detail.height // times), slice(left, left + detail.width // times)), times


def _share(built: NDArray[np.bool_], shown: NDArray[np.bool_], times: int) -> NDArray[np.float32]:
    """Share of each larger pixel that is built on; not a number where too little of it is shown."""
    size = (built.shape[1] // times, built.shape[0] // times)
    whole, part = (
        np.asarray(cv2.resize(each.astype(np.float32), size, interpolation=cv2.INTER_AREA))
        for each in (shown, built & shown)
    )
    return np.where(whole >= _SEEN, part / np.maximum(whole, _SEEN), np.nan).astype(np.float32)


def _with_buildings(surfaces: NDArray[np.float32], share: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities [7, rows, columns] in which as much is built as the share says, where there is one.

    Among the kinds of building, and among the rest, the proportions stay as they were.
    """
    others = [kind for kind in Surface if kind not in BUILT and kind is not Surface.HIDDEN]
    visible = 1 - surfaces[Surface.HIDDEN]
    out = surfaces.copy()
    for kinds, part in ((list(BUILT), share), (others, 1 - share)):
        known = surfaces[kinds] + np.float32(_UNKNOWN)
        out[kinds] = np.where(np.isnan(share), surfaces[kinds], visible * part * known / known.sum(0))
    return out


def _roofs(share: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Pixels in and beside buildings: by colour alone a bright roof passes for a cloud, by its shape it does not."""
    inside = (share >= _SEEN).astype(np.uint8)
    return np.asarray(cv2.dilate(inside, np.ones((3, 3), np.uint8)) > 0) & ~np.isnan(share)


def _repeated(layer: NDArray[np.generic], times: int) -> NDArray[np.generic]:
    return np.repeat(np.repeat(layer, times, 0), times, 1)
