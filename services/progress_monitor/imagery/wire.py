"""What goes to the process that decodes a picture and comes back: JSON and raw numbers, nothing that could run."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from services.progress_monitor.grid import Grid
from services.progress_monitor.imagery.cutting import Chip
from services.progress_monitor.imagery.opening import Corners
from services.progress_monitor.imagery.sensors import BANDS, Sensor


@dataclass(frozen=True, slots=True)
class Question:
    """A picture to cut.

    Attributes:
        path: Its file.
        grid: The grid to cut it to.
        sensor: Where it comes from.
        bands: Names that the caller gives its bands; empty to trust the file.
        offset: Digital number that stands for no light; None for what is usual.
        corners: Where it lies, for a file that does not say.
    """

    path: Path
    grid: Grid
    sensor: Sensor
    bands: tuple[str, ...] = ()
    offset: float | None = None
    corners: Corners | None = None

    def packed(self) -> bytes:
        """The question as bytes."""
        return json.dumps(asdict(self) | {"path": str(self.path)}).encode()

    @classmethod
    def unpacked(cls, data: bytes) -> "Question":
        """The way back."""
        fields = json.loads(data)
        corners = fields["corners"]
        return cls(
            path=Path(fields["path"]),
            grid=Grid(**fields["grid"]),
            sensor=Sensor(fields["sensor"]),
            bands=tuple(fields["bands"]),
            offset=fields["offset"],
            corners=Corners(**{name: tuple(place) for name, place in corners.items()}) if corners else None,
        )


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
