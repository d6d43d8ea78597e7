"""Photos from the site: second evidence, held against the project by their EXIF data."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from shapely import Point

from services.progress_monitor.aoi import Aoi
from services.progress_monitor.fingerprint import distance
from services.progress_monitor.project import DAY_S
from services.progress_monitor.projecting import projected

_FAR_M = 200.0
_DAYS_APART = 2.0
_SAME_BITS = 5


@dataclass(frozen=True, slots=True)
class SitePhoto:
    """A photo as it is kept.

    Attributes:
        id: The service's id.
        project_id: Id of the project.
        created: When it was sent, seconds since 1970.
        taken: When it was taken, by its EXIF data; None where they do not say.
        place: (longitude, latitude), by its EXIF data; None where they do not say.
        distance_m: Metres from the site; None where the place is not known.
        doubts: What is doubtful about it.
        sha256: Of the file, hexadecimal.
        fingerprint: Perceptual hash, hexadecimal.
    """

    id: str
    project_id: str
    created: float
    taken: float | None
    place: tuple[float, float] | None
    distance_m: float | None
    doubts: tuple[str, ...]
    sha256: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Exif:
    """What a photo says of itself.

    Attributes:
        taken: Seconds since 1970, the camera's clock read as UTC; None where it does not say.
        place: (longitude, latitude); None where it does not say.
        fingerprint: Perceptual hash of its pixels.
    """

    taken: float | None
    place: tuple[float, float] | None
    fingerprint: str


def doubts(exif: Exif, sha256: str, aoi: Aoi, claimed: float | None, known: Sequence[SitePhoto]) -> list[str]:
    """What is doubtful about a photo.

    Args:
        exif: What it says of itself.
        sha256: Of the file.
        aoi: The site.
        claimed: When it is said to have been taken, seconds since 1970.
        known: Photos that were sent before, to any project.
    """
    away = distance_to(exif, aoi)
    found = {
        "NO_TIME": exif.taken is None,
        "NO_PLACE": exif.place is None,
        "OFF_SITE": away is not None and away > _FAR_M,
        "TIME_DIFFERS": None not in (exif.taken, claimed)
        and abs((exif.taken or 0) - (claimed or 0)) > _DAYS_APART * DAY_S,
        "DUPLICATE": any(
            each.sha256 == sha256 or distance(each.fingerprint, exif.fingerprint) <= _SAME_BITS for each in known
        ),
    }
    return [name for name, present in found.items() if present]


def distance_to(exif: Exif, aoi: Aoi) -> float | None:
    """Metres from the site to where a photo was taken; None where it does not say."""
    if exif.place is None:
        return None
    point = projected(Point(*exif.place), 4326, aoi.epsg)
    return float(aoi.metric.distance(point)) if np.isfinite((point.x, point.y)).all() else None
