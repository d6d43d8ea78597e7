"""One date compared with the reference: aligned, normalised, masked, and asked what each pixel has become."""

import asyncio
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.progress_monitor.alignment.radiometry import normalised
from services.progress_monitor.alignment.registration import Registration, aligned, brightness, register
from services.progress_monitor.change.model import ChangeModel
from services.progress_monitor.change.surfaces import Surface
from services.progress_monitor.imagery.cutting import Chip
from services.progress_monitor.imagery.quality import Quality, judge
from services.progress_monitor.meaning.measures import Measures, measure
from services.progress_monitor.site import Frame

_HIDDEN = 0.5
"""Probability of `Surface.HIDDEN` above which a pixel is left out."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a date shows.

    Attributes:
        registration: How the picture lay.
        reflectance: Aligned and normalised; [6, rows, columns], zero where there is none.
        surfaces: Probability of each `Surface`; [7, rows, columns].
        usable: Pixels that show the ground.
        measures: The site in numbers.
        haze: Reflectance that haze adds in the blue.
        model_version: Version of the change model.
    """

    registration: Registration
    reflectance: NDArray[np.float32]
    surfaces: NDArray[np.float32]
    usable: NDArray[np.bool_]
    measures: Measures
    haze: float
    model_version: str


async def compare(
    chip: Chip,
    reference: Chip,
    frame: Frame,
    model: ChangeModel,
    *,
    timeout: float,  # noqa: ASYNC109  # part of a deadline
) -> Comparison:
    """Compares a date with the reference.

    Args:
        chip: The site on that date.
        reference: The site before.
        frame: Site and ring.
        model: The change model.
        timeout: Seconds until the answer is of no use any more.

    Returns:
        What the date shows. Where `registration.good` does not hold, its other parts are not to be believed.

    Raises:
        BankaiError: As the model.
    """
    registration, same, quality = await asyncio.to_thread(_comparable, chip, reference, frame)
    surfaces, version = await model.surfaces(reference.reflectance, same, timeout=timeout)
    there = (reference.reflectance > 0).any(0)
    usable = quality.usable & there & (surfaces[Surface.HIDDEN] < _HIDDEN)
    return Comparison(
        registration=registration,
        reflectance=same,
        surfaces=surfaces,
        usable=usable,
        measures=measure(surfaces, usable, frame.site, frame.ring),
        haze=quality.haze,
        model_version=version,
    )


def _comparable(chip: Chip, reference: Chip, frame: Frame) -> tuple[Registration, NDArray[np.float32], Quality]:
    """How a date lay, its reflectance aligned and normalised, and what hides its ground."""
    there = (reference.reflectance > 0).any(0)
    clear = judge(chip.reflectance, chip.bands).usable & there
    around = clear & frame.ring
    registration = register(
        brightness(chip.reflectance), brightness(reference.reflectance), around if _enough(around) else clear
    )
    moved = aligned(chip.reflectance, registration)
    clear = judge(moved, chip.bands).usable
    same = normalised(moved, reference.reflectance, clear & frame.ring)
    return registration, same, judge(same, chip.bands, reference.reflectance)


def _enough(mask: NDArray[np.bool_]) -> bool:
    return bool(mask.mean() > 0.2)
