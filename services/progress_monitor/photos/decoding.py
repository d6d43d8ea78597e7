"""Reading a photo that nobody vouches for: what its EXIF data say, and a hash of what it shows."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from bankai.errors import InvalidRequestError
from services.progress_monitor.fingerprint import fingerprint
from services.progress_monitor.photos.limits import PhotoLimits
from services.progress_monitor.photos.photo import Exif


def read_photo(path: Path, limits: PhotoLimits) -> Exif:
    """Reads a photo. Its header is judged before any pixel is decoded.

    Raises:
        InvalidRequestError: PHOTO_UNREADABLE or PHOTO_TOO_LARGE.
    """
    try:
        with Image.open(path, formats=("JPEG", "PNG")) as image:
            if image.width * image.height > limits.max_pixels:
                raise too_large(limits)
            exif = image.getexif()
            taken = _taken(exif)
            place = _place(exif)
            image.draft("L", (256, 256))
            grey = np.asarray(image.convert("L").resize((64, 64)), np.float32)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        raise unreadable() from None
    return Exif(taken, place, fingerprint(grey))


def too_large(limits: PhotoLimits) -> InvalidRequestError:
    """The error for a photo that is too large, or takes more memory or time to decode than it should."""
    return InvalidRequestError(
        "PHOTO_TOO_LARGE", f"the photo has more than {limits.max_pixels} pixels, or takes too much to decode: shrink it"
    )


def unreadable() -> InvalidRequestError:
    """The error for a photo that cannot be decoded."""
    return InvalidRequestError("PHOTO_UNREADABLE", "the photo is no JPEG or PNG, or is damaged")


def _taken(exif: Image.Exif) -> float | None:
    inner = exif.get_ifd(ExifTags.IFD.Exif)
    text = inner.get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime)
    try:
        return datetime.strptime(str(text).strip("\x00 "), "%Y:%m:%d %H:%M:%S").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def _place(exif: Image.Exif) -> tuple[float, float] | None:
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    try:
        latitude = _degrees(gps[ExifTags.GPS.GPSLatitude]) * (-1 if gps[ExifTags.GPS.GPSLatitudeRef] == "S" else 1)
        longitude = _degrees(gps[ExifTags.GPS.GPSLongitude]) * (-1 if gps[ExifTags.GPS.GPSLongitudeRef] == "W" else 1)
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return (longitude, latitude) if abs(latitude) <= 90 and abs(longitude) <= 180 else None


def _degrees(parts: Sequence[float]) -> float:
    degrees, minutes, seconds = (float(part) for part in parts)
    return degrees + minutes / 60 + seconds / 3600
