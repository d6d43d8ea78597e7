import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from services.progress_monitor.aoi import Aoi
from services.progress_monitor.fingerprint import distance, fingerprint
from services.progress_monitor.photos.decoding import read_photo
from services.progress_monitor.photos.limits import PhotoLimits
from services.progress_monitor.photos.photo import Exif, SitePhoto, distance_to, doubts
from services.progress_monitor.project import DAY_S
from tests.services.progress_monitor.conftest import countryside


def jpeg(seed: int = 1, place: tuple[float, float] | None = (114.102, 30.502), quality: int = 90) -> bytes:
    pixels = (countryside(seed)[:3] * 600).clip(0, 255).astype(np.uint8).transpose(1, 2, 0)
    image = Image.fromarray(pixels)
    exif = image.getexif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2026:03:01 10:00:00"
    if place:
        gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
        gps[ExifTags.GPS.GPSLongitudeRef], gps[ExifTags.GPS.GPSLatitudeRef] = "E", "N"
        gps[ExifTags.GPS.GPSLongitude] = (place[0], 0.0, 0.0)
        gps[ExifTags.GPS.GPSLatitude] = (place[1], 0.0, 0.0)
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif, quality=quality)
    return out.getvalue()


@pytest.fixture
def read(tmp_path: Path) -> Callable[[bytes], Exif]:
    def reading(data: bytes) -> Exif:
        file = tmp_path / "photo"
        file.write_bytes(data)
        return read_photo(file, PhotoLimits())

    return reading


def kept(exif: Exif) -> SitePhoto:
    return SitePhoto("1", "p", 0.0, exif.taken, exif.place, None, (), "hash", exif.fingerprint)


def test_time_and_place_are_read(aoi: Aoi, read: Callable[[bytes], Exif]) -> None:
    exif = read(jpeg())
    assert exif.taken == 1772359200.0
    assert exif.place is not None
    np.testing.assert_allclose(exif.place, (114.102, 30.502))
    assert distance_to(exif, aoi) == 0
    assert doubts(exif, "other", aoi, 1772359200.0, []) == []


def test_doubts(aoi: Aoi, read: Callable[[bytes], Exif]) -> None:
    far = read(jpeg(place=(114.3, 30.502)))
    bare = read(jpeg(place=None))
    again = read(jpeg(quality=60))
    late = 1772359200.0 + 10 * DAY_S
    assert doubts(far, "x", aoi, None, []) == ["OFF_SITE"]
    assert doubts(bare, "x", aoi, late, []) == ["NO_PLACE", "TIME_DIFFERS"]
    assert doubts(again, "x", aoi, None, [kept(read(jpeg()))]) == ["DUPLICATE"]
    assert doubts(read(jpeg(2)), "x", aoi, None, [kept(read(jpeg()))]) == []


def test_fingerprints_bear_noise_and_brightness() -> None:
    layer = countryside(1)[0]
    noisy = layer * 1.3 + np.random.default_rng(0).normal(0, 0.01, layer.shape)
    assert distance(fingerprint(layer), fingerprint(noisy.astype(np.float32))) <= 4
    assert distance(fingerprint(layer), fingerprint(countryside(2)[0])) > 10
