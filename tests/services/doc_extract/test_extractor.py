from collections.abc import Callable

import pytest

from services.doc_extract.extractor import Extractor
from services.doc_extract.page import Source
from services.doc_extract.progress import Progress
from services.doc_extract.result import DocumentKind, Extraction
from services.doc_extract.schema import credit
from tests.services.doc_extract.documents import pdf, scan, text, word

EXPECTED = {
    ("borrower", "宏远机械有限公司"),
    ("lender", "江城银行股份有限公司"),
    ("amount", "7850000.00"),
    ("term", "P36M"),
    ("purpose", "购买原材料"),
}


async def extracted(extractor: Extractor, data: bytes, told: list[Progress] | None = None) -> Extraction:
    heard = [] if told is None else told
    return await extractor.extract(data, credit(), timeout=60, progress=heard.append)


@pytest.mark.parametrize("make", [pdf, word, text])
async def test_a_notice_in_every_format(extractor: Extractor, make: Callable[[], bytes]) -> None:
    told: list[Progress] = []
    found = await extracted(extractor, make(), told)
    assert {(value.field, value.norm) for value in found.values} == EXPECTED
    assert found.kind is DocumentKind.APPROVAL_NOTICE
    assert told == [Progress(1, 1)]
    assert found.model_version.startswith("doc_roles-")


@pytest.mark.parametrize("flag", [0, 90, 180, 270])
async def test_a_page_that_lies_on_its_side_is_turned(extractor: Extractor, flag: int) -> None:
    found = await extracted(extractor, pdf(rotation=flag))
    value = next(value for value in found.values if value.field == "amount")
    ((box,),) = [region.boxes for region in value.regions]
    assert (round(box.left), found.pages[0].rotation) == (170, -flag % 360)
    assert abs(box.top - 98) < 6
    assert (round(found.pages[0].width), round(found.pages[0].height)) == (595, 842)


@pytest.mark.parametrize(
    "turn", [0, pytest.param(90, marks=pytest.mark.slow), pytest.param(180, marks=pytest.mark.slow)]
)
async def test_a_scan_is_read_wherever_its_text_lies(extractor: Extractor, turn: int) -> None:
    told: list[Progress] = []
    found = await extracted(extractor, scan(turn=turn), told)
    amount = next(value for value in found.values if value.field == "amount")
    assert amount.norm == "1000000.00 USD"
    assert found.pages[0].source is Source.OCR
    assert found.pages[0].rotation == -turn % 360
    assert told == [Progress(0, 1), Progress(1, 1)]


@pytest.mark.slow
async def test_a_scan_inside_a_pdf_is_read(extractor: Extractor) -> None:
    found = await extracted(extractor, scan(as_pdf=True))
    assert [page.source for page in found.pages] == [Source.OCR]
    assert any(value.field == "amount" for value in found.values)
