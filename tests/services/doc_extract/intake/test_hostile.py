"""Files that want to hurt: each gets a clear answer, and the next file is read."""

import contextlib
import io
import random
import zipfile
import zlib

import pytest

from bankai.errors import InvalidRequestError
from services.doc_extract.intake.limits import IntakeLimits
from services.doc_extract.intake.reader import FileReader
from tests.services.doc_extract.documents import image, pdf, word

SMALL = IntakeLimits(max_bytes=300_000, max_pages=3, max_archive_bytes=2_000_000, max_archive_members=50, wall_s=10)


def archive(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in members.items():
            made.writestr(name.replace("__", "/").replace("_xml", ".xml"), data)
    return file.getvalue()


def raw_pdf(content: bytes, *, box: str = "0 0 595 842", kids: int = 1) -> bytes:
    """A PDF by hand, with one deflated content stream."""
    stream = zlib.compress(content, 9)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{' '.join(['3 0 R'] * kids)}] /Count {kids} >>".encode(),
        f"<< /Type /Page /Parent 2 0 R /MediaBox [{box}] /Contents 4 0 R >>".encode(),
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(stream), stream),
    ]
    data, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(data)
    data += b"xref\n0 5\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return data + b"trailer << /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % start


BOMB_XML = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    + b"]><a>&j;</a>"
)

NAMED = {
    "empty": (b"", "FILE_EMPTY"),
    "blank": (b" \n\t ", "FILE_EMPTY"),
    "large": (b"a" * 300_001, "FILE_TOO_LARGE"),
    "png without content": (b"\x89PNG\r\n\x1a\n" + bytes(100), "FILE_CORRUPT"),
    "jpeg without content": (b"\xff\xd8\xff" + bytes(100), "FILE_CORRUPT"),
    "tiff without content": (b"II*\x00" + bytes(100), "FILE_CORRUPT"),
    "png of many pixels": (image(size=(9000, 9000)), "IMAGE_TOO_LARGE"),
    "png and PDF": (image() + pdf(), "FILE_TYPE_AMBIGUOUS"),
    "gif": (b"GIF89a" + bytes(100), "UNSUPPORTED_FILE_TYPE"),
    "program": (b"MZ" + bytes(100), "UNSUPPORTED_FILE_TYPE"),
    "web page": (b"<!DOCTYPE html><p>x", "UNSUPPORTED_FILE_TYPE"),
    "nulls": (bytes(1000), "TEXT_UNDECODABLE"),
    "noise": (random.Random(0).randbytes(1000), "TEXT_UNDECODABLE"),
    "web page with a PDF": (b"<html>" + pdf(), "FILE_TYPE_AMBIGUOUS"),
    "PDF with an archive": (pdf() + archive(a=b"x"), "FILE_TYPE_AMBIGUOUS"),
    "locked PDF": (pdf(password="secret"), "FILE_ENCRYPTED"),
    "many pages": (pdf(pages=4), "TOO_MANY_PAGES"),
    "endless page": (raw_pdf(b"", box="0 0 99999 99999"), "PAGE_TOO_LARGE"),
    "PDF header alone": (b"%PDF-1.7\n", "FILE_CORRUPT"),
    "PDF of noise": (b"%PDF-1.7\n" + random.Random(1).randbytes(2000), "FILE_CORRUPT"),
    "archive": (archive(a=b"x"), "UNSUPPORTED_FILE_TYPE"),
    "zip bomb": (archive(word__document_xml=bytes(3_000_000)), "ARCHIVE_TOO_LARGE"),
    "many members": (archive(**{f"a{n}": b"" for n in range(60)}), "ARCHIVE_TOO_LARGE"),
    "cut archive": (word()[:-40], "FILE_CORRUPT"),
    "DOCX without anything": (archive(word__document_xml=b""), "FILE_CORRUPT"),
    "XML bomb": (archive(word__document_xml=BOMB_XML), "FILE_CORRUPT"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMED)
async def test_named_files(name: str) -> None:
    data, reason = NAMED[name]
    reader = FileReader(SMALL)
    try:
        with pytest.raises(InvalidRequestError) as caught:
            await reader.read(data, timeout=15)
        assert caught.value.reason == reason
    finally:
        await reader.close()


@pytest.mark.slow
async def test_a_bomb_is_killed_and_the_next_file_is_read() -> None:
    reader = FileReader(IntakeLimits(cpu_s=3, memory_bytes=600 * 2**20, wall_s=8))
    try:
        bomb = raw_pdf((b"BT /F1 1 Tf (" + b"a" * 30_000 + b") Tj ET\n") * 3000)
        with pytest.raises(InvalidRequestError, match="memory or time"):
            await reader.read(bomb, timeout=15)
        assert len(await reader.read(pdf(), timeout=15)) == 1
    finally:
        await reader.close()


@pytest.mark.slow
async def test_flipped_and_cut_files_are_read_or_refused() -> None:
    chance = random.Random(3)
    reader = FileReader(SMALL)
    try:
        for good in (pdf(), word()):
            for _ in range(12):
                bad = bytearray(good[: chance.randrange(20, len(good))] if chance.random() < 0.4 else good)
                for _ in range(chance.randrange(1, 40)):
                    bad[chance.randrange(len(bad))] = chance.randrange(256)
                with contextlib.suppress(InvalidRequestError):
                    assert await reader.read(bytes(bad), timeout=15)
            assert await reader.read(good, timeout=15)
    finally:
        await reader.close()
