"""Draws a document as a PDF with a text layer."""

import io
from collections.abc import Mapping
from dataclasses import dataclass

from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from services.doc_extract.text import Region
from training.doc_extract.drawing.document import Document, Seal
from training.doc_extract.drawing.fonts import registered
from training.doc_extract.drawing.seals import DIAMETER, seal_image
from training.doc_extract.drawing.typesetting import HEIGHT, WIDTH, Layout, Sheet, typeset


@dataclass(frozen=True, slots=True)
class Drawn:
    """A drawn document.

    Attributes:
        pdf: The file.
        places: Of each mark's key where its characters stand: the squares that they fill, a box for each line.
    """

    pdf: bytes
    places: Mapping[int, tuple[Region, ...]]


def draw(document: Document) -> Drawn:
    """Draws a document; its file is the same each time."""
    layout = typeset(document)
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=(WIDTH, HEIGHT), invariant=True)
    font = registered(document.face)
    for number, sheet in enumerate(layout.sheets, 1):
        _sheet(canvas, sheet, font)
        for seal in document.seals:
            _press(canvas, seal, layout, number)
        canvas.showPage()
    canvas.save()
    return Drawn(file.getvalue(), layout.places)


def _sheet(canvas: Canvas, sheet: Sheet, font: str) -> None:
    canvas.setLineWidth(0.6)
    for x0, y0, x1, y1 in sheet.rules:
        canvas.line(x0, HEIGHT - y0, x1, HEIGHT - y1)
    for run in sheet.runs:
        canvas.setFont(font, run.size)
        canvas.drawString(run.left, HEIGHT - run.baseline, run.text)


def _press(canvas: Canvas, seal: Seal, layout: Layout, page: int) -> None:
    """Presses a seal over the last box of its mark, within the page."""
    for region in layout.places.get(seal.key, ())[-1:]:
        if region.page != page:
            continue
        box = region.boxes[-1]
        x = min(max((box.left + box.right - DIAMETER) / 2, 0.0), WIDTH - DIAMETER)
        y = min(max((box.top + box.bottom - DIAMETER) / 2, 0.0), HEIGHT - DIAMETER)
        picture = ImageReader(seal_image(seal.name, seal.colour))
        canvas.drawImage(picture, x, HEIGHT - y - DIAMETER, DIAMETER, DIAMETER, mask="auto")
