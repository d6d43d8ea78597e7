"""Reading with the shipped models."""

from collections.abc import AsyncIterator

import numpy as np
import pytest

from bankai.inference import open_backend
from bankai.inference.label_file import read_labels
from bankai.inference.repository import ModelRepository
from bankai.settings import InferenceSettings
from services.doc_extract.page import Page, Paragraph, Source, Table
from services.doc_extract.reading.ocr import recognition
from services.doc_extract.reading.ocr.levelling import mapped
from services.doc_extract.reading.ocr.reader import PageReader
from services.doc_extract.text import DocumentText
from tests.services.doc_extract.reading.ocr.pages import (
    DPI,
    LINES,
    Picture,
    page,
    photographed,
    sealed,
    skewed,
    two_columns,
)

pytestmark = pytest.mark.slow


@pytest.fixture
async def reader() -> AsyncIterator[PageReader]:
    settings = InferenceSettings()
    backend = open_backend(settings)
    folder = ModelRepository(settings.models_dir).version_dir(recognition.MODEL)
    yield PageReader(backend, read_labels(folder, list[str]))
    await backend.close()


async def read(reader: PageReader, picture: Picture) -> Page:
    return await reader.read(picture, dpi=DPI, number=1, timeout=60)


def letters(found: Page) -> str:
    return "".join(DocumentText.of([found]).text.split())


@pytest.mark.parametrize("quarter", [0, 1, 2, 3])
async def test_a_page_is_read_whichever_way_up_it_lies(reader: PageReader, quarter: int) -> None:
    found = await read(reader, np.ascontiguousarray(np.rot90(page(), -quarter)))
    assert letters(found) == "".join("".join(LINES).split())
    assert found.rotation == -90 * quarter % 360
    assert (found.width, found.height) == pytest.approx((1000 * 72 / DPI, 800 * 72 / DPI))


@pytest.mark.parametrize("change", [lambda each: skewed(each, 3.0), sealed])
async def test_a_skewed_page_and_a_sealed_one_are_read_alike(reader: PageReader, change: object) -> None:
    found = await read(reader, change(page()))  # type: ignore[operator]
    assert letters(found) == "".join("".join(LINES).split())


async def test_a_page_photographed_from_the_side_is_read(reader: PageReader) -> None:
    photo, way = photographed(page())
    text = DocumentText.of([await read(reader, photo)])
    assert "".join(text.text.split()) == "".join("".join(LINES).split())
    (region,) = text.regions(text.text.index("Harbor"), text.text.index("Harbor") + 6)
    (box,) = region.boxes
    ((left, top),) = mapped(np.array([[235, 195]], np.float32), way) * 72 / DPI
    assert (box.left, box.top) == pytest.approx((left, top), abs=12)


async def test_characters_have_their_places_in_points(reader: PageReader) -> None:
    text = DocumentText.of([await read(reader, page())])
    (region,) = text.regions(text.text.index("Harbor"), text.text.index("Harbor") + 6)
    (box,) = region.boxes
    # "Borrower: " is about 150 pixels wide; the line stands 190 pixels from the top.
    assert box.left == pytest.approx(235 * 72 / DPI, abs=12)
    assert box.top == pytest.approx(195 * 72 / DPI, abs=6)
    assert 8 < box.bottom - box.top < 25


async def test_columns_are_read_one_after_the_other(reader: PageReader) -> None:
    left = [f"{number}. The borrower shall repay the loan" for number in range(1, 13)]
    right = [f"{number}. The lender may at any time declare" for number in range(13, 25)]
    found = await read(reader, two_columns(left, right))
    assert letters(found) == "".join("".join([*left, *right]).split())


async def test_an_empty_page_has_no_text(reader: PageReader) -> None:
    found = await read(reader, np.full((700, 500, 3), 255, np.uint8))
    assert (list(found.blocks), found.source) == ([], Source.OCR)


async def test_lines_come_with_their_confidence(reader: PageReader) -> None:
    found = await read(reader, page())
    lines = [line for block in found.blocks if not isinstance(block, Table) for line in block.lines]
    assert all(isinstance(block, Paragraph) for block in found.blocks)
    assert all(0.8 < line.confidence <= 1 for line in lines)
