"""A picture of a site as it is kept. Times are seconds since 1970."""

from dataclasses import dataclass
from enum import StrEnum

from services.progress_monitor.alignment.registration import Registration
from services.progress_monitor.imagery.sensors import Sensor
from services.progress_monitor.meaning.measures import Measures

MIN_USABLE = 0.25
"""Share of the site that a picture must show to count."""
MIN_REFERENCE = 0.6
"""Share of the site that a picture must show to be the one that others are compared with."""


class Status(StrEnum):
    """What became of a picture."""

    USED = "used"
    OBSCURED = "obscured"
    NOT_REGISTERED = "not_registered"
    REPLAYED = "replayed"


@dataclass(frozen=True, slots=True)
class Observation:
    """A picture and what it shows.

    Attributes:
        id: The service's id.
        project_id: Id of the project.
        acquired: When it was taken.
        created: When it was sent.
        sensor: Where it comes from.
        sha256: Of the file, hexadecimal.
        fingerprint: Perceptual hash of the site in it, hexadecimal.
        bands: Which bands it has.
        status: What became of it.
        reason: Why, where it does not count.
        registration: How it lay.
        measures: The site in numbers.
        haze: Reflectance that haze adds in the blue.
        reference_id: Id of the observation with which it was compared.
        model_version: Version of the model.
    """

    id: str
    project_id: str
    acquired: float
    created: float
    sensor: Sensor
    sha256: str
    fingerprint: str
    bands: tuple[bool, ...]
    status: Status
    reason: str
    registration: Registration
    measures: Measures
    haze: float
    reference_id: str
    model_version: str
