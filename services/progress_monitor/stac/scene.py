"""What a STAC item says of a picture."""

from dataclasses import dataclass

from services.progress_monitor.imagery.sensors import Calibration, Sensor


@dataclass(frozen=True, slots=True)
class SceneFile:
    """A file that holds bands of a scene.

    Attributes:
        uri: Where it lies.
        bands: Which of the service's bands each of its bands is, empty for others; () to trust the file.
        calibrations: How the numbers of each become reflectance; () for what is usual.
    """

    uri: str
    bands: tuple[str, ...]
    calibrations: tuple[Calibration, ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture that an item describes.

    Attributes:
        id: Of the item.
        collection: Id of its collection; empty without one.
        acquired: Seconds since 1970.
        sensor: Where it comes from.
        offset: Digital number that stands for no light; None for what is usual.
        files: What holds its bands.
    """

    id: str
    collection: str
    acquired: float
    sensor: Sensor
    offset: float | None
    files: tuple[SceneFile, ...]


@dataclass(frozen=True, slots=True)
class Skipped:
    """An item of which no picture is made.

    Attributes:
        id: Of the item; of one that cannot be read, what the catalogue calls it.
        reason: Stable reason code.
        message: What is wrong, for people.
    """

    id: str
    reason: str
    message: str
