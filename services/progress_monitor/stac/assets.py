"""Which of an item's assets hold the bands that the service compares, and how their numbers become reflectance."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pystac

from bankai.errors import InvalidRequestError
from services.progress_monitor.imagery.sensors import BANDS, Calibration, Sensor, plain_name
from services.progress_monitor.stac.places import absolute
from services.progress_monitor.stac.scene import SceneFile

_SENTINEL2 = (Sensor.SENTINEL2_L1C, Sensor.SENTINEL2_L2A)
_COMMON = {"blue": "blue", "green": "green", "red": "red", "nir": "nir", "swir16": "swir1", "swir22": "swir2"}
"""Common names of bands (STAC's electro-optical extension) as the service names them."""
_TIFF = ("image/tiff", "image/vnd.stac.geotiff", "image/geo+tiff")
_NO_DATA = {"thumbnail", "overview", "metadata", "cloud", "cloud-shadow", "snow-ice", "water-mask", "saturation"}
_DRAWN = {"visual", "tci", "true_color", "rendered_preview", "preview"}
"""Roles and keys of pictures that were drawn for people: bright, of 8 bits, no measure of light."""
_NEW_BASELINE = 4.0
_S2_SCALE, _S2_OFFSET = 1e-4, -1000.0


@dataclass(frozen=True, slots=True)
class _Asset:
    uri: str
    bands: tuple[str, ...]
    calibrations: tuple[Calibration, ...]

    @property
    def known(self) -> set[str]:
        return set(self.bands) - {""}


def scene_files(item: pystac.Item, sensor: Sensor, base: str) -> tuple[SceneFile, ...]:
    """The files of an item that hold a picture's bands, each band from one of them.

    Args:
        item: The item.
        sensor: Where it comes from.
        base: Address of the document in which the item stands.

    Raises:
        InvalidRequestError: ITEM_WITHOUT_BANDS or ITEM_INVALID.
    """
    unwanted = _NO_DATA if sensor is Sensor.RGB else _NO_DATA | _DRAWN
    assets = [
        _asset(key, asset, item, sensor, base)
        for key, asset in sorted(item.assets.items())
        if _is_tiff(asset) and unwanted.isdisjoint({key.lower(), *(role.lower() for role in asset.roles or ())})
    ]
    if len(assets) == 1 and not assets[0].known:
        return (SceneFile(assets[0].uri, (), ()),)  # the file may say which bands it has
    chosen: list[_Asset] = []
    have: set[str] = set()
    for asset in sorted(assets, key=lambda each: -len(each.known)):
        if asset.known - have:
            chosen.append(asset)
            have |= asset.known
    if not have.issuperset(BANDS[:3]):
        raise InvalidRequestError(
            "ITEM_WITHOUT_BANDS", "the item has no GeoTIFF assets that say to be its blue, green and red bands"
        )
    return tuple(SceneFile(each.uri, each.bands, each.calibrations) for each in chosen)


def dark_number(item: pystac.Item, sensor: Sensor) -> float | None:
    """The digital number that stands for no light where assets do not say; None for what is usual."""
    return _S2_OFFSET if sensor in _SENTINEL2 and _shifted(item.properties) else None


def _is_tiff(asset: pystac.Asset) -> bool:
    if asset.media_type:
        return asset.media_type.lower().startswith(_TIFF)
    return asset.href.lower().endswith((".tif", ".tiff"))


def _asset(key: str, asset: pystac.Asset, item: pystac.Item, sensor: Sensor, base: str) -> _Asset:
    bands = _bands(asset.extra_fields)
    names = tuple(_name(band, sensor) for band in bands)
    if not any(names) and len(bands) <= 1 and (name := _name({"name": key}, sensor)):
        names = (name,)
    numbers = [_calibration(band, item.properties, sensor) for band in bands]
    calibrations = tuple(each for each in numbers if each is not None)
    complete = len(calibrations) == len(names)
    return _Asset(absolute(asset.href, base), names if any(names) else (), calibrations if complete else ())


def _bands(fields: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """What an asset says of each of its bands: as STAC 1.1 has it, or as its extensions had it before."""
    if "bands" in fields:
        return [_mapping(band) for band in fields["bands"]]
    named, raster = fields.get("eo:bands") or (), fields.get("raster:bands") or ()
    count = max(len(named), len(raster))
    fill: tuple[Mapping[str, Any], ...] = ({},) * count
    pairs = zip((*named, *fill)[:count], (*raster, *fill)[:count], strict=True)
    return [{**_mapping(light), **_mapping(name)} for name, light in pairs]


def _mapping(band: Any) -> Mapping[str, Any]:
    if not isinstance(band, Mapping):
        raise _invalid("its bands are not described as objects")
    return band


def _name(band: Mapping[str, Any], sensor: Sensor) -> str:
    """Which of the service's bands one is; empty for another."""
    common = band.get("eo:common_name", band.get("common_name"))
    if common == "nir08" and sensor is Sensor.LANDSAT_L2:  # its one near infrared; Sentinel-2's has 20 m
        return "nir"
    if common:
        return _COMMON.get(str(common), "")
    return plain_name(sensor, str(band.get("name", "")))


def _calibration(band: Mapping[str, Any], properties: Mapping[str, Any], sensor: Sensor) -> Calibration | None:
    scale = band.get("raster:scale", band.get("scale"))
    if scale is None:
        return None
    offset = band.get("raster:offset", band.get("offset"))
    if sensor in _SENTINEL2:
        if _applied(properties):
            offset = 0.0  # the publisher has: what it says of the offset is then of no account
        elif offset is None and _shifted(properties):
            offset = _S2_OFFSET * _S2_SCALE
    scale, offset = _number(scale), _number(offset or 0.0)
    if not 0 < scale <= 1 or not -1 <= offset <= 1:
        raise _invalid("scale and offset of its bands give no reflectance")
    return Calibration(scale, offset)


def _shifted(properties: Mapping[str, Any]) -> bool:
    """Whether Sentinel-2 numbers are those of processing baseline 04.00 and later, 1000 above the light."""
    names = ("s2:processing_baseline", "processing:version", "sentinel:processing_baseline")
    baseline = next((properties[name] for name in names if name in properties), 0)
    try:
        return float(baseline) >= _NEW_BASELINE and not _applied(properties)
    except (TypeError, ValueError):
        return False


def _applied(properties: Mapping[str, Any]) -> bool:
    return any(properties.get(f"{name}:boa_offset_applied") is True for name in ("earthsearch", "sentinel"))


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _invalid("scale and offset of its bands are no numbers")
    return float(value)


def _invalid(what: str) -> InvalidRequestError:
    return InvalidRequestError("ITEM_INVALID", f"the item is not as STAC describes one: {what}")
