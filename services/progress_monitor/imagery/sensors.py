"""What a picture's numbers mean: bands in one order, as reflectance."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bankai.requests import invalid

BANDS = ("blue", "green", "red", "nir", "swir1", "swir2")
"""Bands of every picture that the service compares, in this order."""


class Sensor(StrEnum):
    """Where a picture comes from."""

    SENTINEL2_L1C = "sentinel2_l1c"
    SENTINEL2_L2A = "sentinel2_l2a"
    LANDSAT_L2 = "landsat_l2"
    RGB = "rgb"


@dataclass(frozen=True, slots=True)
class Calibration:
    """From digital numbers to reflectance: `number * scale + offset`.

    Attributes:
        scale: Factor.
        offset: Reflectance of the number zero.
    """

    scale: float
    offset: float


_NAMES = {
    Sensor.SENTINEL2_L1C: ("B02", "B03", "B04", "B08", "B11", "B12"),
    Sensor.SENTINEL2_L2A: ("B02", "B03", "B04", "B08", "B11", "B12"),
    Sensor.LANDSAT_L2: ("SR_B2", "SR_B3", "SR_B4", "SR_B5", "SR_B6", "SR_B7"),
    Sensor.RGB: ("blue", "green", "red", "", "", ""),
}
_ALIASES = {
    "B2": "B02", "B3": "B03", "B4": "B04", "B8": "B08",
    "BLUE": "blue", "GREEN": "green", "RED": "red", "NIR": "nir", "SWIR1": "swir1", "SWIR2": "swir2",
    "SWIR16": "swir1", "SWIR22": "swir2",
}  # fmt: skip
_S2_ORDERS = {
    4: (0, 1, 2, 3),  # the bands of 10 m
    6: (0, 1, 2, 3, 4, 5),
    12: (1, 2, 3, 7, 10, 11),  # all of L2A, B01 to B12
    13: (1, 2, 3, 7, 11, 12),  # all of L1C
}


def plain_name(sensor: Sensor, name: str) -> str:
    """Which of `BANDS` a sensor's own name, or a plain one, stands for; empty where it stands for none."""
    theirs = _ALIASES.get(name.upper(), name)
    if theirs in BANDS:
        return theirs
    return BANDS[_NAMES[sensor].index(theirs)] if theirs and theirs in _NAMES[sensor] else ""


def band_positions(
    sensor: Sensor, described: Sequence[str | None], named: Sequence[str], *, partial: bool = False
) -> list[int | None]:
    """Where each of `BANDS` lies in a picture.

    Args:
        sensor: Where the picture comes from.
        described: Names that the file gives its bands.
        named: Names that the caller gives them; empty to trust the file.
        partial: Whether a file with names may hold only some of the bands, or none.

    Returns:
        Six positions from 0, None for a band that is missing.

    Raises:
        InvalidRequestError: BANDS_UNKNOWN or BANDS_MISMATCH.
    """
    if named and len(named) != len(described):
        raise invalid("BANDS_MISMATCH", "bands", f"names {len(named)} bands; the picture has {len(described)}")
    names = [_ALIASES.get((name or "").upper(), name or "") for name in (named or described)]
    wanted = _NAMES[sensor]
    found = [
        names.index(theirs) if theirs and theirs in names else names.index(ours) if ours in names else None
        for ours, theirs in zip(BANDS, wanted, strict=True)
    ]
    if all(place is not None for place in found[:3]) or (partial and any(names)):
        return found
    if named:
        raise invalid(
            "BANDS_UNKNOWN",
            "bands",
            f"must name at least blue, green and red, as {', '.join(filter(None, wanted))} or plainly",
        )
    return _by_count(sensor, len(described))


def _by_count(sensor: Sensor, count: int) -> list[int | None]:
    """What a picture without names most probably holds."""
    if count == 3 or (sensor is Sensor.RGB and count == 4):
        return [2, 1, 0, None, None, None]  # red, green, blue, and perhaps transparency
    order = _S2_ORDERS.get(count)
    if order is None or sensor is Sensor.RGB:
        raise invalid("BANDS_UNKNOWN", "bands", f"must be named: the picture has {count} bands without known names")
    return [*order, *[None] * (len(BANDS) - len(order))]


def calibration(sensor: Sensor, dtype: str, offset: float | None) -> Calibration:
    """How a picture's numbers become reflectance.

    Args:
        sensor: Where it comes from.
        dtype: Type of its numbers.
        offset: Digital number that stands for no light, e.g. -1000 for Sentinel-2 products of processing baseline 04.00
            and later; None for what is usual.

    Raises:
        InvalidRequestError: PIXELS_UNSUPPORTED.
    """
    if dtype == "uint8":
        return Calibration(1 / 255, 0.0)
    if dtype.startswith("float"):
        return Calibration(1.0, 0.0)
    if dtype not in {"uint16", "int16"}:
        raise invalid(
            "PIXELS_UNSUPPORTED", "image", f"has pixels of type {dtype}; uint8, uint16, int16 and float are read"
        )
    if sensor is Sensor.LANDSAT_L2:
        return Calibration(2.75e-5, -0.2)
    return Calibration(1 / 10_000, (offset or 0.0) / 10_000)
