"""A digital contract of 20 pages, from its bytes to its fields, one thread, beside bare PDFium reading all characters.

The contract is drawn out of our own wording: two pages of clauses with values, then boilerplate, about 1,200 characters
a page, which is a dense page. Both sides take turns. Needs the training extra's fonts.
"""

import argparse
import ctypes
import statistics
import time
from random import Random

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from bankai.inference import open_backend
from benchmarks.command import Report, arguments, run
from services.doc_extract.app import open_extractor
from services.doc_extract.schema import credit
from services.doc_extract.settings import DocExtractSettings
from training.doc_extract.drawing.document import Document, Paragraph, Text
from training.doc_extract.drawing.pdf import draw
from training.doc_extract.filling import fill
from training.doc_extract.wording import read

PAGES = 20
_CONTRACT = "working_capital_articles"
_BOILERPLATE = (
    "乙方应当按照约定使用资金，不得挪作他用，并应当接受甲方的监督和检查，如实提供有关的财务会计资料及其他资料，不得隐瞒重要事实。",
    "双方在履行过程中发生争议的，应当协商解决；协商不成的，任何一方均可以向有管辖权的人民法院提起诉讼，不涉及争议的条款仍须履行。",
    "未经对方书面允许，任何一方不得将权利义务转让给第三方，否则应当承担由此产生的一切损失，包括但不限于诉讼费、律师费和差旅费。",
)


def contract() -> bytes:
    """The contract as a PDF."""
    random = Random(0)
    wording = next(each for each in read() if each.source == _CONTRACT)
    lines = fill(wording, random).text.split("\n")
    while True:
        lines += [random.choice(_BOILERPLATE) for _ in range(12)]
        data = draw(Document([Paragraph(Text(line.replace("\t", "　"))) for line in lines])).pdf
        if len(pdfium.PdfDocument(data)) >= PAGES:
            return data


def bare(data: bytes) -> int:
    """Reads every character and its box, and nothing more; returns how many there are."""
    document = pdfium.PdfDocument(data)
    box = pdfium_c.FS_RECTF()
    total = 0
    for page in document:
        text = page.get_textpage()
        count = text.count_chars()
        text.get_text_range()
        for at in range(count):
            pdfium_c.FPDFText_GetLooseCharBox(text, at, ctypes.byref(box))
        total += count
    document.close()
    return total


async def measure(options: argparse.Namespace) -> Report:
    """Measures both sides in turns."""
    data = contract()
    settings = DocExtractSettings()
    backend = open_backend(settings.inference)
    ours, floor = [], []
    try:
        async with open_extractor(settings, backend) as extractor:
            for turn in range(2 if options.quick else 12):
                start = time.perf_counter()
                found = await extractor.extract(data, credit(), timeout=120, progress=lambda _: None)
                ours.append(time.perf_counter() - start)
                start = time.perf_counter()
                characters = bare(data)
                floor.append(time.perf_counter() - start)
                if not turn:  # loads the models
                    ours.clear()
                    floor.clear()
    finally:
        await backend.close()
    pages = len(found.pages)
    all_in, pdfium_alone = (statistics.median(each) * 1000 / pages for each in (ours, floor))
    return {
        "pages": pages,
        "characters_per_page": characters / pages,
        "values": len(found.values),
        "ms_per_page": all_in,
        "pdfium_ms_per_page": pdfium_alone,
        "ratio": all_in / pdfium_alone,
    }


if __name__ == "__main__":
    run("documents", measure, arguments(__doc__).parse_args())
