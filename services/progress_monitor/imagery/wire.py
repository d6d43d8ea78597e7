"""Chips on their way back from the process that decodes: JSON and raw numbers, nothing that could run."""

import json

import numpy as np

from services.progress_monitor.grid import Grid
from services.progress_monitor.imagery.cutting import Chip
from services.progress_monitor.imagery.sensors import BANDS


def packed(chip: Chip) -> bytes:
    """A chip as bytes: the length of a JSON header, the header, the reflectance, and the detail where there is one."""
    shape = chip.detail.shape if chip.detail is not None else None
    header = json.dumps({"bands": chip.bands, "covered": chip.covered, "detail": shape}).encode()
    detail = chip.detail.tobytes() if chip.detail is not None else b""
    pixels = np.ascontiguousarray(chip.reflectance, np.float32).tobytes()
    return len(header).to_bytes(8, "big") + header + pixels + detail


def unpacked(data: bytes, grid: Grid) -> Chip:
    """The way back.

    Raises:
        ValueError: The bytes are not what `packed` makes for the grid.
    """
    end = 8 + int.from_bytes(data[:8], "big")
    header = json.loads(data[8:end])
    count = len(BANDS) * grid.width * grid.height
    pixels = np.frombuffer(data, np.float32, count, end).reshape(len(BANDS), *grid.shape)
    rest = np.frombuffer(data, np.uint8, offset=end + pixels.nbytes)
    detail = rest.reshape(header["detail"]) if header["detail"] else None
    if detail is None and rest.size:
        raise ValueError("more pixels than the grid has")
    return Chip(pixels, tuple(bool(there) for there in header["bands"]), float(header["covered"]), detail)
