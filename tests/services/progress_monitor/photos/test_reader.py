"""Hostile photos are decoded where they can do no harm."""

import io
import struct
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bankai.errors import InvalidRequestError
from services.progress_monitor.photos.limits import PhotoLimits
from services.progress_monitor.photos.reader import PhotoReader
from tests.services.progress_monitor.photos.test_photo import jpeg

pytestmark = pytest.mark.slow


@pytest.fixture
async def reader() -> AsyncIterator[PhotoReader]:
    started = PhotoReader(PhotoLimits(), workers=1)
    yield started
    await started.close()


async def reason(reader: PhotoReader, folder: Path, data: bytes) -> str:
    file = folder / "photo"
    file.write_bytes(data)
    with pytest.raises(InvalidRequestError) as caught:
        await reader.read(file, timeout=60)
    return caught.value.reason


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(side: int, *extra: bytes, rows: int = 1) -> bytes:
    """A PNG that declares a square of grey and holds some rows of it."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(bytes(rows * (side + 1)), 9))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(extra) + body + chunk(b"IEND", b"")


async def test_a_photo_says_what_it_is(reader: PhotoReader, tmp_path: Path) -> None:
    (tmp_path / "photo").write_bytes(jpeg())
    exif = await reader.read(tmp_path / "photo", timeout=60)
    assert exif.taken == 1772359200.0
    assert exif.place == pytest.approx((114.102, 30.502))
    assert len(exif.fingerprint) == 16


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "PHOTO_UNREADABLE"),
        (b"hello", "PHOTO_UNREADABLE"),
        (jpeg()[:300], "PHOTO_UNREADABLE"),
        (jpeg()[: len(jpeg()) // 2], "PHOTO_UNREADABLE"),
        (b"GIF89a" + bytes(100), "PHOTO_UNREADABLE"),
        (png(100_000), "PHOTO_TOO_LARGE"),  # ten billion pixels by its header
        (png(64, chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1 << 28), 9)), rows=64), "PHOTO_UNREADABLE"),
    ],
    ids=["empty", "text", "cut in its header", "cut in its pixels", "gif", "bomb", "bomb of text"],
)
async def test_hostile_photos_get_their_reason(reader: PhotoReader, tmp_path: Path, data: bytes, expected: str) -> None:
    assert await reason(reader, tmp_path, data) == expected
    (tmp_path / "photo").write_bytes(jpeg())
    assert (await reader.read(tmp_path / "photo", timeout=60)).taken == 1772359200.0


async def test_a_photo_that_takes_too_much_ends_with_its_process(tmp_path: Path) -> None:
    image = Image.fromarray(np.zeros((9_000, 9_000, 3), np.uint8))
    out = io.BytesIO()
    image.save(out, "PNG")  # small as a file, and 243 MB as pixels
    for limits in (PhotoLimits(memory_bytes=700 * 2**20), PhotoLimits(wall_s=0.01)):
        reader = PhotoReader(limits, workers=1)
        try:
            assert await reason(reader, tmp_path, out.getvalue()) == "PHOTO_TOO_LARGE"
            if limits.wall_s > 1:  # what is small fits
                (tmp_path / "photo").write_bytes(jpeg())
                assert (await reader.read(tmp_path / "photo", timeout=60)).place is not None
        finally:
            await reader.close()
