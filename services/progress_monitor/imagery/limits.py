"""How much one picture may ask for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """Limits that hold before and while a picture is decoded.

    Attributes:
        max_bytes: Size of the file.
        max_side: Longest side, in pixels, as its header declares it; a Sentinel-2 tile has 10,980.
        max_bands: Bands.
        max_pixels: Pixels of all bands, from the header.
        max_block_bytes: Size of one tile or strip, unpacked.
        memory_bytes: Address space of the process that decodes.
        cpu_s: Seconds of computing time of it.
        wall_s: Seconds from the question to the answer.
    """

    max_bytes: int = 2 * 2**30
    max_side: int = 60_000
    max_bands: int = 32
    max_pixels: int = 4_000_000_000
    max_block_bytes: int = 256 * 2**20
    memory_bytes: int = 2 * 2**30
    cpu_s: int = 60
    wall_s: float = 90.0
