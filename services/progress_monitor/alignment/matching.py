"""Two pictures of one place and size brought together: aligned, and alike in brightness where nothing has changed."""

import numpy as np
from numpy.typing import NDArray

from services.progress_monitor.alignment.radiometry import normalised
from services.progress_monitor.alignment.registration import Registration, aligned, brightness, register


def matched(picture: NDArray[np.float32], reference: NDArray[np.float32]) -> tuple[Registration, NDArray[np.float32]]:
    """How a picture lies against a reference, and the picture brought to it.

    Args:
        picture: Reflectance [6, rows, columns]; zero where there is none.
        reference: The same of the reference.
    """
    both = np.asarray((picture > 0).any(0) & (reference > 0).any(0))
    registration = register(brightness(picture), brightness(reference), both)
    return registration, brought(picture, reference, registration, both)


def brought(
    picture: NDArray[np.float32],
    reference: NDArray[np.float32],
    registration: Registration,
    stable: NDArray[np.bool_],
) -> NDArray[np.float32]:
    """A picture on its reference's pixels and in its brightness; left where it lies if the registration is not good.

    Args:
        picture: Reflectance [6, rows, columns]; zero where there is none.
        reference: The same of the reference.
        registration: How the picture lies.
        stable: Pixels that should look the same.
    """
    moved = aligned(picture, registration) if registration.good else picture
    return normalised(moved, reference, stable)
