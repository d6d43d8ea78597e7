"""Small real files for tests, made on the spot."""

import io

import docx
import pikepdf
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

FONT = "STSong-Light"
"""A font that PDF readers know by name: text without a font file."""

FORM = (
    ("授信审批通知书",),
    ("借款人", "宏远机械有限公司", "贷款人", "江城银行股份有限公司"),
    ("借款金额", "人民币785万元", "贷款期限", "36个月"),
    ("贷款用途：购买原材料",),
)


def pdf(rows: tuple[tuple[str, ...], ...] = FORM, *, pages: int = 1, rotation: int = 0, password: str = "") -> bytes:
    """A PDF whose pages have rows of cells from the top left, 130 points apart."""
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=A4, encrypt=password or None)
    for _ in range(pages):
        canvas.setFont(FONT, 10)
        for number, row in enumerate(rows):
            for column, text in enumerate(row):
                canvas.drawString(40 + 130 * column, A4[1] - 60 - 24 * number, text)
        canvas.showPage()
    canvas.save()
    return turned(file.getvalue(), rotation) if rotation else file.getvalue()


def turned(data: bytes, rotation: int) -> bytes:
    """A PDF whose pages are shown turned clockwise."""
    file = io.BytesIO()
    with pikepdf.open(io.BytesIO(data)) as document:
        for page in document.pages:
            page.Rotate = rotation
        document.save(file)
    return file.getvalue()


def word(rows: tuple[tuple[str, ...], ...] = FORM) -> bytes:
    """The same as a DOCX: single cells as paragraphs, others as rows of a table each."""
    document = docx.Document()
    for row in rows:
        if len(row) == 1:
            document.add_paragraph(row[0])
        else:
            table = document.add_table(1, len(row))
            for cell, text in zip(table.rows[0].cells, row, strict=True):
                cell.text = text
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def text(rows: tuple[tuple[str, ...], ...] = FORM) -> bytes:
    """The same as tab-separated text."""
    return "\n".join("\t".join(row) for row in rows).encode()


NOTE = (
    "PROMISSORY NOTE",
    "Borrower: Harbor Foods Inc.",
    "Lender: First National Bank of Omaha",
    "Loan amount: USD 1,000,000.00",
    "Term: 36 months",
    "Interest rate: 5.25% per annum",
)


def scan(lines: tuple[str, ...] = NOTE, *, turn: int = 0, as_pdf: bool = False) -> bytes:
    """A picture of a page with these lines: a PNG at 150 dpi, or a PDF that holds nothing else.

    The lines are English: a font for them comes with Pillow, one for Chinese would have to be installed.
    """
    page = Image.new("RGB", (1240, 1754), "white")
    pen = ImageDraw.Draw(page)
    for number, line in enumerate(lines):
        pen.text((140, 160 + 90 * number), line, fill="black", font=ImageFont.load_default(38))
    file = io.BytesIO()
    page.rotate(-turn, expand=True).save(file, "PDF" if as_pdf else "PNG", resolution=150)
    return file.getvalue()


def image(size: tuple[int, int] = (120, 80), *, dpi: int = 72, noisy: bool = False) -> bytes:
    """A PNG of white paper, or of noise."""
    picture = Image.effect_noise(size, 80).convert("RGB") if noisy else Image.new("RGB", size, "white")
    file = io.BytesIO()
    picture.save(file, "PNG", dpi=(dpi, dpi))
    return file.getvalue()
