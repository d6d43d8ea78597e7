import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bankai.errors import InvalidRequestError
from services.progress_monitor.aoi import Aoi
from services.progress_monitor.grid import grid_of
from services.progress_monitor.imagery.limits import ImageLimits
from services.progress_monitor.imagery.opening import Corners
from services.progress_monitor.imagery.question import Layer, Question
from services.progress_monitor.imagery.reader import ImageReader
from services.progress_monitor.imagery.sensors import Sensor
from tests.services.progress_monitor.conftest import countryside, numbers, write_tiff


async def reason_of(
    path: Path,
    aoi: Aoi,
    sensor: Sensor = Sensor.SENTINEL2_L2A,
    bands: tuple[str, ...] = (),
    corners: Corners | None = None,
) -> str:
    """Reason with which a picture is refused; empty where it is cut."""
    reader = ImageReader(ImageLimits(), workers=1)
    try:
        await reader.cut(Question((Layer(path, bands),), grid_of(aoi), sensor, corners=corners), timeout=60)
    except InvalidRequestError as error:
        return error.reason
    finally:
        await reader.close()
    return ""


def declared(width: int, height: int, **tags: int) -> bytes:
    """A TIFF that is nothing but a header which declares a size."""
    entries = {256: width, 257: height, 258: 16, 259: 1, 262: 1, 273: 8, 277: 1, 278: height, 279: 2}
    entries |= {int(name.removeprefix("t")): value for name, value in tags.items()}
    body = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(entries.items()))
    return b"II*\x00" + struct.pack("<I", 8) + struct.pack("<H", len(entries)) + body + b"\x00\x00\x00\x00"


VRT = """<VRTDataset rasterXSize="10" rasterYSize="10"><VRTRasterBand dataType="Byte" band="1"><SimpleSource>
<SourceFilename>/etc/passwd</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"""


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("empty.tif", b"", "IMAGE_EMPTY"),
        ("vrt.tif", VRT.encode(), "IMAGE_TYPE_UNSUPPORTED"),
        ("text.TIF", b"hello", "IMAGE_TYPE_UNSUPPORTED"),
        ("pdf.tif", b"%PDF-1.7", "IMAGE_TYPE_UNSUPPORTED"),
        ("jp2.tif", b"\x00\x00\x00\x0cjP  \r\n\x87\n", "IMAGE_TYPE_UNSUPPORTED"),
        ("magic.tif", b"II*\x00", "IMAGE_CORRUPT"),
        ("million.tif", declared(1_000_000, 1_000_000), "IMAGE_TOO_LARGE"),
        ("20gb.tif", declared(50_000, 50_000, t277=4), "IMAGE_TOO_LARGE"),
        ("samples.tif", declared(64, 64, t277=60_000), "IMAGE_TOO_LARGE"),
    ],
)
async def test_hostile_files_get_their_reason(tmp_path: Path, aoi: Aoi, name: str, data: bytes, reason: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    assert await reason_of(path, aoi) == reason


async def test_truncated_is_refused(tmp_path: Path, aoi: Aoi) -> None:
    whole = write_tiff(tmp_path / "whole.tif", numbers(countryside(1)), aoi)
    cut = tmp_path / "cut.tif"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert await reason_of(cut, aoi) == "IMAGE_CORRUPT"
    assert await reason_of(whole, aoi) == ""


async def test_off_site_unplaced_and_too_coarse(tmp_path: Path, aoi: Aoi) -> None:
    pixels = numbers(countryside(1))
    other = write_tiff(tmp_path / "zone.tif", pixels, aoi, epsg=32633)
    unplaced = tmp_path / "unplaced.png"
    Image.fromarray(np.zeros((50, 50, 3), np.uint8)).save(unplaced)
    coarse = write_tiff(tmp_path / "coarse.tif", pixels, aoi, gsd=100.0)
    assert await reason_of(other, aoi) == "IMAGE_OFF_SITE"
    assert await reason_of(unplaced, aoi, Sensor.RGB) == "IMAGE_NOT_PLACED"
    assert await reason_of(coarse, aoi) == "IMAGE_TOO_COARSE"
    beside = Corners((10.0, 50.0), (10.1, 50.0), (10.1, 49.9), (10.0, 49.9))
    assert await reason_of(unplaced, aoi, Sensor.RGB, corners=beside) == "IMAGE_OFF_SITE"
    flat = Corners((10.0, 50.0), (10.0, 50.0), (10.0, 50.0), (10.0, 50.0))
    assert await reason_of(unplaced, aoi, Sensor.RGB, corners=flat) == "IMAGE_CORNERS_INVALID"
    swapped = Corners((30.5, 114.1), (30.5, 114.2), (30.4, 114.2), (30.4, 114.1))
    assert await reason_of(unplaced, aoi, Sensor.RGB, corners=swapped) == "IMAGE_CORNERS_INVALID"


async def test_bands_must_be_known(tmp_path: Path, aoi: Aoi) -> None:
    five = write_tiff(tmp_path / "five.tif", numbers(countryside(1)[:5]), aoi, names=None)
    assert await reason_of(five, aoi) == "BANDS_UNKNOWN"
    assert await reason_of(five, aoi, bands=("a", "b")) == "BANDS_MISMATCH"
    assert await reason_of(five, aoi, bands=("B02", "B03", "B04", "B08", "x")) == ""


async def test_pixels_keep_their_place_and_light(tmp_path: Path, aoi: Aoi) -> None:
    scene = countryside(2, 200)
    reader = ImageReader(ImageLimits(), workers=1)
    grid = grid_of(aoi)
    try:
        plain = write_tiff(tmp_path / "plain.tif", numbers(scene), aoi)
        shifted = write_tiff(tmp_path / "offset.tif", numbers(scene + 0.1), aoi)
        order = (3, 2, 1, 0, 5, 4)
        mixed = write_tiff(
            tmp_path / "mixed.tif", numbers(scene[list(order)]), aoi, names=("B08", "B04", "B03", "B02", "B12", "B11")
        )
        one = await reader.cut(Question((Layer(plain),), grid, Sensor.SENTINEL2_L2A), timeout=60)
        two = await reader.cut(Question((Layer(shifted),), grid, Sensor.SENTINEL2_L2A, offset=-1000), timeout=60)
        three = await reader.cut(Question((Layer(mixed),), grid, Sensor.SENTINEL2_L2A), timeout=60)
    finally:
        await reader.close()
    assert one.covered == 1.0
    assert one.reflectance.shape == (6, *grid.shape)
    np.testing.assert_allclose(two.reflectance, one.reflectance, atol=3e-4)
    np.testing.assert_allclose(three.reflectance, one.reflectance, atol=1e-6)


async def test_half_nodata_is_said(tmp_path: Path, aoi: Aoi) -> None:
    scene = numbers(countryside(3, 200))
    scene[:, :, :100] = 0
    path = write_tiff(tmp_path / "half.tif", scene, aoi, nodata=0)
    reader = ImageReader(ImageLimits(), workers=1)
    try:
        chip = await reader.cut(Question((Layer(path),), grid_of(aoi), Sensor.SENTINEL2_L2A), timeout=60)
    finally:
        await reader.close()
    assert 0.3 < chip.covered < 0.7
    assert not chip.reflectance[:, :, :10].any()


async def test_a_transparent_photo_placed_by_its_corners(tmp_path: Path, aoi: Aoi) -> None:
    pixels = np.full((400, 400, 4), 120, np.uint8)
    pixels[:, :, 3] = np.where(np.arange(400) < 200, 0, 255)
    path = tmp_path / "photo.png"
    Image.fromarray(pixels).save(path)
    west, south, east, north = 114.08, 30.48, 114.13, 30.53
    corners = Corners((west, north), (east, north), (east, south), (west, south))
    reader = ImageReader(ImageLimits(), workers=1)
    try:
        chip = await reader.cut(Question((Layer(path),), grid_of(aoi), Sensor.RGB, corners=corners), timeout=60)
    finally:
        await reader.close()
    assert chip.bands == (True, True, True, False, False, False)
    assert 0 < chip.covered < 1
    assert chip.reflectance[:3].max() == pytest.approx(120 / 255, abs=0.01)
