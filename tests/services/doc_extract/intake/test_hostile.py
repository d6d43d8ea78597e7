"""Files that want to hurt: each gets a clear answer, and the next file is read."""

import random

import pytest

from bankai.errors import InvalidRequestError
from services.doc_extract.intake.limits import IntakeLimits
from services.doc_extract.intake.reader import FileReader
from tests.services.doc_extract.documents import image, pdf, word
from tests.services.doc_extract.intake.hostile import archive, letters_apart, raw_pdf, xml_bomb

SMALL = IntakeLimits(max_bytes=300_000, max_pages=3, max_archive_bytes=2_000_000, max_archive_members=50, wall_s=10)


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
    "text without its font": (letters_apart(), "FONT_NOT_EMBEDDED"),
    "PDF header alone": (b"%PDF-1.7\n", "FILE_CORRUPT"),
    "PDF of noise": (b"%PDF-1.7\n" + random.Random(1).randbytes(2000), "FILE_CORRUPT"),
    "archive": (archive(a=b"x"), "UNSUPPORTED_FILE_TYPE"),
    "zip bomb": (archive(word__document_xml=bytes(3_000_000)), "ARCHIVE_TOO_LARGE"),
    "many members": (archive(**{f"a{n}": b"" for n in range(60)}), "ARCHIVE_TOO_LARGE"),
    "cut archive": (word()[:-40], "FILE_CORRUPT"),
    "DOCX without anything": (archive(word__document_xml=b""), "FILE_CORRUPT"),
    "XML bomb": (archive(word__document_xml=xml_bomb()), "FILE_CORRUPT"),
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
