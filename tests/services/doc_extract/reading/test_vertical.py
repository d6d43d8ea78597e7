import io

import numpy as np
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from services.doc_extract.intake.limits import IntakeLimits
from services.doc_extract.page import Page, Paragraph
from services.doc_extract.reading.pdf import read_pdf
from services.doc_extract.text import DocumentText

_SIZE = 13
_COLUMNS = (
    "AGREEMENT",
    "TheBorrowerappliesforaloanof5000000fromtheLenderandpays",
    "interestat5.65percent.",
)
"""In letters of a font that readers have; only where they stand matters."""


def page(columns: tuple[str, ...]) -> Page:
    """A page written from top to bottom, its first column at the right."""
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=A4)
    canvas.setFont("Courier", _SIZE)
    for column, text in enumerate(columns):
        for row, letter in enumerate(text):
            canvas.drawString(500 - 24 * column, 800 - 1.0 * _SIZE * row, letter)
    canvas.showPage()
    canvas.save()
    (found,) = read_pdf(file.getvalue(), IntakeLimits())
    assert isinstance(found, Page)
    return found


def test_columns_are_read_from_the_right() -> None:
    assert DocumentText.of([page(_COLUMNS)]).text.splitlines() == list(_COLUMNS)


def test_characters_keep_their_places() -> None:
    title = page(_COLUMNS).blocks[0]
    assert isinstance(title, Paragraph)
    boxes = title.lines[0].boxes
    assert np.allclose(boxes[:, 0], 500, atol=1)
    assert np.allclose(np.diff(boxes[:, 1]), 1.0 * _SIZE, atol=0.1)
    assert np.allclose(boxes[:, 3] - boxes[:, 1], _SIZE, atol=1)


def test_a_label_that_stands_upright_turns_no_page() -> None:
    label = "BORROWER"
    assert DocumentText.of([page((label,))]).text.strip() == label
