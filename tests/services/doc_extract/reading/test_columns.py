import io

from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from services.doc_extract.intake.limits import IntakeLimits
from services.doc_extract.page import Page
from services.doc_extract.reading.pdf import read_pdf
from services.doc_extract.text import DocumentText
from tests.services.doc_extract.documents import FONT

LEFT = [chr(0x4E00 + number) * 21 for number in range(12)]
RIGHT = [chr(0x5E00 + number) * 21 for number in range(12)]
"""Lines of each column; every one another, for PDFium leaves out what is drawn twice."""


def page(columns: list[tuple[str, str]], title: str = "", foot: str = "") -> str:
    """The text of a page with rows of two texts side by side, between a title and a foot across both."""
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=A4)
    canvas.setFont(FONT, 10)
    for number, (left, right) in enumerate(columns, 1):
        canvas.drawString(60, 780 - 16 * number, left)
        canvas.drawString(320, 780 - 16 * number, right)
    canvas.drawString(60, 780, title)
    canvas.drawString(60, 780 - 16 * (len(columns) + 1), foot)
    canvas.showPage()
    canvas.save()
    (found,) = read_pdf(file.getvalue(), IntakeLimits())
    assert isinstance(found, Page)
    return DocumentText.of([found]).text


def test_two_columns_are_read_one_after_the_other() -> None:
    across = "标题和页脚" * 8
    text = page(list(zip(LEFT, RIGHT, strict=True)), across, across[::-1])
    assert text.replace("\n", "") == across + "".join(LEFT) + "".join(RIGHT) + across[::-1]


def test_a_column_may_be_longer_than_the_other() -> None:
    text = page(list(zip(LEFT, RIGHT[:9] + [""] * 3, strict=True)))
    assert text.replace("\n", "") == "".join(LEFT) + "".join(RIGHT[:9])


def test_a_form_is_read_across() -> None:
    rows = [(f"借款人：张三{number}", f"贷款人：江城银行{number}") for number in range(12)]
    assert page(rows).splitlines()[0] == "借款人：张三0\t贷款人：江城银行0"


def test_two_signatures_side_by_side_are_read_across() -> None:
    rows = list(zip(LEFT[:4], RIGHT[:4], strict=True))
    assert page(rows).splitlines() == [f"{left}\t{right}" for left, right in rows]
