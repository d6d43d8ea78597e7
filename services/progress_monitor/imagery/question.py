"""What is asked of a picture: the site in it."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from services.progress_monitor.grid import Grid
from services.progress_monitor.imagery.opening import Corners
from services.progress_monitor.imagery.sensors import Calibration, Sensor


@dataclass(frozen=True, slots=True)
class Layer:
    """A file that holds a picture's bands, or some of them.

    Attributes:
        path: The file.
        bands: Names of its bands in order; empty to trust the file.
        calibrations: How the numbers of each become reflectance; empty for what is usual.
    """

    path: Path
    bands: tuple[str, ...] = ()
    calibrations: tuple[Calibration, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """A picture to cut.

    Attributes:
        layers: Its files. A band is taken from the first that has it.
        grid: The grid to cut it to.
        sensor: Where it comes from.
        offset: Digital number that stands for no light; None for what is usual.
        corners: Where it lies, for a file that does not say.
        detail: A finer grid to cut sub-metre colour to as well; None for the grid alone.
        extents: Asks not for the site, but for which bytes of each file are needed to cut it.
    """

    layers: Sequence[Layer]
    grid: Grid
    sensor: Sensor
    offset: float | None = None
    corners: Corners | None = None
    detail: Grid | None = None
    extents: bool = False

    def packed(self) -> bytes:
        """The question as bytes."""
        return json.dumps(asdict(self), default=str).encode()

    @classmethod
    def unpacked(cls, data: bytes) -> "Question":
        """The way back."""
        fields = json.loads(data)
        corners, detail = fields["corners"], fields["detail"]
        return cls(
            layers=[
                Layer(
                    Path(layer["path"]),
                    tuple(layer["bands"]),
                    tuple(Calibration(**each) for each in layer["calibrations"]),
                )
                for layer in fields["layers"]
            ],
            grid=Grid(**fields["grid"]),
            sensor=Sensor(fields["sensor"]),
            offset=fields["offset"],
            corners=Corners(**{name: tuple(place) for name, place in corners.items()}) if corners else None,
            detail=Grid(**detail) if detail else None,
            extents=fields["extents"],
        )
