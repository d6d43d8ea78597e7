"""What is asked of a picture: the site in it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from services.progress_monitor.grid import Grid
from services.progress_monitor.imagery.opening import Corners
from services.progress_monitor.imagery.sensors import Sensor


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
        detail: A finer grid to cut sub-metre colour to as well; None for the grid alone.
    """

    path: Path
    grid: Grid
    sensor: Sensor
    bands: tuple[str, ...] = ()
    offset: float | None = None
    corners: Corners | None = None
    detail: Grid | None = None

    def packed(self) -> bytes:
        """The question as bytes."""
        return json.dumps(asdict(self) | {"path": str(self.path)}).encode()

    @classmethod
    def unpacked(cls, data: bytes) -> "Question":
        """The way back."""
        fields = json.loads(data)
        corners, detail = fields["corners"], fields["detail"]
        return cls(
            path=Path(fields["path"]),
            grid=Grid(**fields["grid"]),
            sensor=Sensor(fields["sensor"]),
            bands=tuple(fields["bands"]),
            offset=fields["offset"],
            corners=Corners(**{name: tuple(place) for name, place in corners.items()}) if corners else None,
            detail=Grid(**detail) if detail else None,
        )
