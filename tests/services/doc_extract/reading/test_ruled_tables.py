import io

import pytest
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from services.doc_extract.intake.limits import IntakeLimits
from services.doc_extract.page import Page, Paragraph, Table
from services.doc_extract.reading.pdf import read_pdf
from services.doc_extract.text import DocumentText
from tests.services.doc_extract.documents import FONT, turned

CELLS = (("统一社会信|用代码", "911761727FDLQ20RDW", "金额"), ("期限", "", "36个月"))
TOP = A4[1] - 120


def ruled(style: str) -> bytes:
    """A heading, a table of two rows with a wrapped cell and a blank one, and a line below it."""
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=A4)
    canvas.setFont(FONT, 10)
    canvas.drawString(60, A4[1] - 80, "授信审批表")
    for row, cells in enumerate(CELLS):
        for column, cell in enumerate(cells):
            x, y = 60 + 150 * column, TOP - 40 * (row + 1)
            if style == "rectangles":
                canvas.rect(x, y, 150, 40)
            for number, part in enumerate(cell.split("|")):
                canvas.drawString(x + 4, y + 24 - 14 * number, part)
    rule(canvas, style)
    canvas.drawString(60, TOP - 120, "经办人：张三")
    canvas.showPage()
    canvas.save()
    return file.getvalue()


def rule(canvas: Canvas, style: str) -> None:
    """Draws the table's rules as lines, or as bars as word processors do."""
    for row in range(3):
        if style == "lines":
            canvas.line(60, TOP - 40 * row, 510, TOP - 40 * row)
        elif style == "thin bars":
            canvas.rect(60, TOP - 40 * row - 0.5, 450, 1, stroke=0, fill=1)
    for column in range(4):
        if style == "lines":
            canvas.line(60 + 150 * column, TOP, 60 + 150 * column, TOP - 80)
        elif style == "thin bars":
            canvas.rect(59.5 + 150 * column, TOP - 80, 1, 80, stroke=0, fill=1)


def read(data: bytes) -> Page:
    (page,) = read_pdf(data, IntakeLimits())
    assert isinstance(page, Page)
    return page


@pytest.mark.parametrize("style", ["lines", "rectangles", "thin bars"])
@pytest.mark.parametrize("rotation", [0, 90])
def test_a_ruled_table_keeps_its_cells_whole(style: str, rotation: int) -> None:
    page = read(turned(ruled(style), rotation) if rotation else ruled(style))
    assert [type(block) for block in page.blocks] == [Paragraph, Table, Paragraph]
    assert DocumentText.of([page]).text == (
        "授信审批表\n统一社会信用代码\t911761727FDLQ20RDW\t金额\n期限\t\t36个月\n经办人：张三\n"
    )


def test_lines_that_enclose_nothing_are_no_table() -> None:
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=A4)
    canvas.drawString(60, 700, "A heading, underlined")
    canvas.line(60, 695, 300, 695)
    canvas.rect(40, 40, 515, 762)
    canvas.drawString(60, 600, "and a frame around the page")
    canvas.showPage()
    canvas.save()
    assert [type(block) for block in read(file.getvalue()).blocks] == [Paragraph, Paragraph]
