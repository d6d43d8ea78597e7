"""Items read as scenes: when, where, by which sensor."""

from dataclasses import dataclass
from datetime import UTC
from typing import Any

import pystac
import shapely
from shapely import MultiPolygon
from shapely.geometry import shape

from bankai.errors import BankaiError, InvalidRequestError
from services.progress_monitor.imagery.sensors import Sensor
from services.progress_monitor.stac.assets import dark_number, scene_files
from services.progress_monitor.stac.scene import Scene, Skipped

MALFORMED = (
    *(pystac.STACError, pystac.STACTypeError, pystac.RequiredPropertyMissing),
    *(ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OverflowError),
)
"""What reading a document raises that is not as STAC describes it."""
_LONGEST_ID = 256


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which items are wanted.

    Attributes:
        aoi: Their footprint meets it; in WGS 84.
        start: They were taken at or after this, seconds since 1970.
        end: And at or before this.
        sensor: Where they come from; None for what they say.
    """

    aoi: MultiPolygon
    start: float
    end: float
    sensor: Sensor | None


def read_item(document: Any, base: str, wanted: Wanted) -> Scene | Skipped:
    """What an item says, or why no picture is made of it.

    Args:
        document: The item as JSON was read.
        base: Address of the document in which it stands.
        wanted: Which items are wanted.
    """
    label = ""
    try:
        label = clean(document["id"])
        return _scene(pystac.Item.from_dict(document, href=base, preserve_dict=False), base, wanted)
    except BankaiError as error:
        return Skipped(label, error.reason, error.message)
    except (*MALFORMED, shapely.errors.ShapelyError):
        return Skipped(label, "ITEM_INVALID", "the item is not as STAC describes one")


def _scene(item: pystac.Item, base: str, wanted: Wanted) -> Scene:
    acquired = _acquired(item)
    if not wanted.start <= acquired <= wanted.end:
        raise InvalidRequestError("ITEM_OUT_OF_RANGE", "the item was taken before or after the asked time")
    if item.geometry is None or not shape(item.geometry).intersects(wanted.aoi):
        raise InvalidRequestError("ITEM_OFF_SITE", "the item's footprint does not meet the site")
    sensor = wanted.sensor or _sensor(item)
    if sensor is None:
        raise InvalidRequestError(
            "ITEM_SENSOR_UNKNOWN", "the item does not say to be of Sentinel-2 or Landsat surface reflectance: name it"
        )
    files = scene_files(item, sensor, base)
    if item.id != clean(item.id) or (item.collection_id or "") != clean(item.collection_id or ""):
        raise InvalidRequestError("ITEM_INVALID", f"the item's id has more than {_LONGEST_ID} characters or is no text")
    return Scene(item.id, item.collection_id or "", acquired, sensor, dark_number(item, sensor), files)


def clean(label: Any) -> str:
    """What a catalogue calls something, as text that can be sent."""
    return str(label)[:_LONGEST_ID].encode(errors="replace").decode()


def _acquired(item: pystac.Item) -> float:
    """When it was taken; the middle of an interval."""
    if item.datetime is not None:
        return _seconds(item.datetime)
    start, end = item.common_metadata.start_datetime, item.common_metadata.end_datetime
    return (_seconds(start) + _seconds(end)) / 2


def _seconds(moment: Any) -> float:
    return float((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _sensor(item: pystac.Item) -> Sensor | None:
    names = [item.collection_id, *(item.properties.get(name) for name in ("constellation", "platform"))]
    source = " ".join(str(name).lower() for name in names if name)
    level = " ".join(
        (source, str(item.id), *(str(item.properties.get(name)) for name in ("s2:product_type", "processing:level")))
    ).lower()
    if "sentinel-2" in source or "sentinel2" in source:
        first = any(sign in level for sign in ("l1c", "s2msi1c", "msil1c")) or level.endswith("l1")
        return Sensor.SENTINEL2_L1C if first else Sensor.SENTINEL2_L2A
    if any(name in source for name in ("landsat-8", "landsat-9", "landsat-c2")) and "l2" in level:
        return Sensor.LANDSAT_L2
    return None
