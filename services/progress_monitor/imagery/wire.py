"""Chips on their way back from the process that decodes: JSON and raw numbers, nothing that could run."""

import json

import numpy as np

from services.progress_monitor.grid import Grid
from services.progress_monitor.imagery.cutting import Chip
from services.progress_monitor.imagery.sensors import BANDS


def packed(chip: Chip) -> bytes:
    """A chip as bytes: the length of a JSON header, the header, then the reflectance."""
    header = json.dumps({"bands": chip.bands, "covered": chip.covered}).encode()
    return len(header).to_bytes(8, "big") + header + np.ascontiguousarray(chip.reflectance, np.float32).tobytes()


def unpacked(data: bytes, grid: Grid) -> Chip:
    """The way back.

    Raises:
        ValueError: The bytes are not what `packed` makes for the grid.
    """
    end = 8 + int.from_bytes(data[:8], "big")
    header = json.loads(data[8:end])
    pixels = np.frombuffer(data, np.float32, offset=end).reshape(len(BANDS), *grid.shape)
    return Chip(pixels, tuple(bool(there) for there in header["bands"]), float(header["covered"]))
