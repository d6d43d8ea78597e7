"""How much one photo may ask for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PhotoLimits:
    """Limits that hold before and while a photo is decoded.

    Attributes:
        max_pixels: Pixels, by its header.
        memory_bytes: Address space of the process that decodes.
        cpu_s: Seconds of computing time of it.
        wall_s: Seconds from the photo's arrival to the answer.
    """

    max_pixels: int = 120_000_000
    memory_bytes: int = 2 * 2**30
    cpu_s: int = 20
    wall_s: float = 40.0
