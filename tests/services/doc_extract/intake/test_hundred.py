"""A hundred hostile files: a hundred clear answers, in time and in bounds."""

import time
from collections.abc import Sequence

import pytest

from bankai.errors import InvalidRequestError
from services.doc_extract.intake.limits import IntakeLimits
from services.doc_extract.intake.reader import FileReader
from services.doc_extract.page import Page, Scan
from tests.services.doc_extract.documents import pdf
from tests.services.doc_extract.intake.hostile import built, damaged

LONGEST_S = 15.0
GIB = 2**30


async def answer(reader: FileReader, data: bytes) -> str | Sequence[Page | Scan]:
    """The reason why a file cannot be read, or its pages, the first of the scans among them drawn."""
    try:
        pages = await reader.read(data, timeout=30)
        scans = [page.number for page in pages if isinstance(page, Scan)]
        if scans:
            await reader.draw(data, scans[:1], timeout=30)
    except InvalidRequestError as error:
        return error.reason
    return pages


@pytest.mark.slow
async def test_a_hundred_files_get_a_hundred_answers() -> None:
    limits = IntakeLimits()
    assert limits.memory_bytes <= GIB  # the system holds every reading process to it
    reader = FileReader(limits)
    answers, seconds = {}, {}
    try:
        for name, data in (*built(), *damaged()):
            start = time.monotonic()
            answers[name] = await answer(reader, data)
            seconds[name] = time.monotonic() - start
        assert len(answers) == 100
        assert {name: spent for name, spent in seconds.items() if spent > LONGEST_S} == {}
        assert len(await reader.read(pdf(), timeout=30)) == 1
    finally:
        await reader.close()
    for name, reason in (
        ("circle of pages", "FILE_CORRUPT"),
        ("three hundred and one pages", "TOO_MANY_PAGES"),
        ("PNG of too many pixels", "IMAGE_TOO_LARGE"),
        ("TIFF of four hundred pages", "TOO_MANY_PAGES"),
        ("RTF", "UNSUPPORTED_FILE_TYPE"),
        ("old Office file", "UNSUPPORTED_FILE_TYPE"),
        ("DOCX with an XML bomb", "FILE_CORRUPT"),
        ("too long a text", "DOCUMENT_TOO_LONG"),
    ):
        assert answers[name] == reason, name
