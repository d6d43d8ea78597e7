from collections.abc import Callable

import pytest

from services.doc_extract.extractor import Extractor
from services.doc_extract.intake.reader import FileReader
from services.doc_extract.progress import Progress
from services.doc_extract.result import DocumentKind
from services.doc_extract.schema import credit
from tests.services.doc_extract.documents import pdf, text, word

EXPECTED = [
    ("borrower", "宏远机械有限公司"),
    ("lender", "江城银行股份有限公司"),
    ("amount", "7850000.00"),
    ("term", "P36M"),
    ("purpose", "购买原材料"),
]


@pytest.mark.parametrize("make", [pdf, word, text])
async def test_a_notice_in_every_format(reader: FileReader, make: Callable[[], bytes]) -> None:
    told: list[Progress] = []
    found = await Extractor(reader).extract(make(), credit(), timeout=30, progress=told.append)
    assert [(value.field, value.norm) for value in found.values] == EXPECTED
    assert found.kind is DocumentKind.APPROVAL_NOTICE
    assert told == [Progress(1, 1)]


@pytest.mark.parametrize("flag", [0, 90, 180, 270])
async def test_a_page_that_lies_on_its_side_is_turned(reader: FileReader, flag: int) -> None:
    found = await Extractor(reader).extract(pdf(rotation=flag), credit(), timeout=30)
    value = next(value for value in found.values if value.field == "amount")
    ((box,),) = [region.boxes for region in value.regions]
    assert (round(box.left), found.pages[0].rotation) == (170, -flag % 360)
    assert abs(box.top - 98) < 6
    assert (round(found.pages[0].width), round(found.pages[0].height)) == (595, 842)
