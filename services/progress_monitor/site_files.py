"""Sites as folders: a site.json with polygon, plan, pictures and, for judging, the truth (docs/progress_monitor.md)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bankai.evaluation.inputs import BadInputError, read_text
from services.progress_monitor.imagery.sensors import Sensor
from services.progress_monitor.meaning.stages import Stage
from services.progress_monitor.project import CurvePoint

NAME = "site.json"


@dataclass(frozen=True, slots=True)
class SitePicture:
    """One picture of a site.

    Attributes:
        path: Its file.
        time: When it was taken, seconds since 1970.
        sensor: Where it comes from; None where the file says none that is known.
    """

    path: Path
    time: float
    sensor: Sensor | None


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true of a date.

    Attributes:
        time: Seconds since 1970.
        stage: The stage.
        progress: In [0, 1]; None where it is not known.
    """

    time: float
    stage: Stage
    progress: float | None


@dataclass(frozen=True, slots=True)
class SiteFile:
    """A site as its file says.

    Attributes:
        aoi: GeoJSON text; empty where a mask says which pixels are the site's.
        mask: Picture that is not black on the site; None where there is a polygon.
        pictures: In order of time.
        plan: The planned course.
        truth: In order of time.
    """

    aoi: str
    mask: Path | None
    pictures: Sequence[SitePicture]
    plan: Sequence[CurvePoint]
    truth: Sequence[Truth]


def read_site(folder: Path) -> SiteFile:
    """Reads a folder's site.json.

    Raises:
        BadInputError: It is not as documented.
    """
    file = folder / NAME
    try:
        content = json.loads(read_text(file))
    except ValueError as error:
        raise BadInputError(file, None, f"is not JSON ({error})") from None
    try:
        return _site(folder, content)
    except (KeyError, TypeError, ValueError) as error:
        raise BadInputError(file, None, f"is not as documented: {type(error).__name__} at {error}") from None


def instant(text: str) -> float:
    """Seconds since 1970 of an ISO 8601 date or time; UTC unless it says otherwise.

    Raises:
        ValueError: It is none.
    """
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def sensor_named(name: str) -> Sensor | None:
    """The sensor that people mean by a name; None where it is not known."""
    plain = name.lower().replace("-", "").replace("_", "").replace(" ", "")
    if "landsat" in plain or plain in {"l8", "l9", "oli"}:
        return Sensor.LANDSAT_L2
    if "sentinel2" in plain or plain.startswith(("s2", "msi")):
        return Sensor.SENTINEL2_L1C if "l1c" in plain else Sensor.SENTINEL2_L2A
    return Sensor.RGB if plain in {"rgb", "aerial", "drone", "vhr", "photo"} else None


def _site(folder: Path, content: dict[str, Any]) -> SiteFile:
    pictures = [
        SitePicture(folder / each["path"], instant(each["date"]), sensor_named(str(each.get("sensor", ""))))
        for each in content["images"]
    ]
    truth = [
        Truth(instant(each["date"]), Stage[str(each["stage"]).upper()], _share(each.get("progress")))
        for each in content.get("truth") or ()
    ]
    plan = [CurvePoint(instant(each["date"]), float(each["progress"])) for each in content.get("plan") or ()]
    aoi = content.get("aoi")
    if isinstance(aoi, dict) and set(aoi) == {"mask"}:
        content, aoi = aoi, None
    mask = folder / content["mask"] if not aoi else None
    return SiteFile(
        aoi=json.dumps(aoi) if aoi else "",
        mask=mask,
        pictures=sorted(pictures, key=lambda each: each.time),
        plan=sorted(plan, key=lambda each: each.time),
        truth=sorted(truth, key=lambda each: each.time),
    )


def _share(value: Any) -> float | None:
    return None if value is None else float(value)
