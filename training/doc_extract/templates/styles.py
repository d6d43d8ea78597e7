"""Ways of writing a filled template: text, DOCX, a PDF with text, a scan."""

import io
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Literal

import docx

from services.doc_extract.text import Region
from training.doc_extract.drawing import document as drawing
from training.doc_extract.drawing.pdf import draw
from training.doc_extract.drawing.scanning import Scanner, scan
from training.doc_extract.templates.documents import Document


def _as_text(document: Document) -> tuple[str, bytes]:
    return "txt", document.text.encode()


def _as_word(document: Document) -> tuple[str, bytes]:
    word = docx.Document()
    for line in document.text.split("\n"):
        word.add_paragraph(line)
    file = io.BytesIO()
    word.save(file)
    return "docx", file.getvalue()


def _as_pdf(document: Document) -> tuple[str, bytes]:
    drawn = draw(_layout(document))
    _place(document, drawn.places)
    return "pdf", drawn.pdf


def _as_scan(document: Document) -> tuple[str, bytes]:
    random = Random(document.name)
    turn: Literal[0, 90, 180, 270] = random.choice((0, 0, 0, 0, 90, 180, 270))
    scanner = Scanner(
        dpi=random.choice((150, 200)),
        skew=random.uniform(-3, 3),
        turn=turn,
        noise=random.uniform(2, 9),
        grey=random.random() < 0.3,
        quality=random.choice((50, 75)),
    )
    scanned = scan(draw(_layout(document)), scanner)
    _place(document, scanned.places)
    return "pdf", scanned.pdf()


STYLES: Mapping[str, Callable[[Document], tuple[str, bytes]]] = {
    "text": _as_text,
    "docx": _as_word,
    "digital": _as_pdf,
    "scan": _as_scan,
}
"""Ways of writing a document; each gives the file's ending and its bytes, and notes where the values stand."""


def _layout(document: Document) -> drawing.Document:
    """The document for the press, each value marked with its place in the list, and a seal on the last of them."""
    blocks, start = [], 0
    for line in document.text.split("\n"):
        blocks.append(drawing.Paragraph(drawing.Text(line, _marks(document, start, start + len(line)))))
        start += len(line) + 1
    seals = [drawing.Seal("江城银行股份有限公司", len(document.fields) - 1)] if document.fields else []
    return drawing.Document(blocks, seals)


def _marks(document: Document, start: int, end: int) -> list[drawing.Mark]:
    """The values in a line."""
    marks = []
    for number, field in enumerate(document.fields):
        first, last = field["span"]
        if first < end and last > start:
            marks.append(drawing.Mark(max(first, start) - start, min(last, end) - start, number))
    return marks


def _place(document: Document, places: Mapping[int, Sequence[Region]]) -> None:
    for number, field in enumerate(document.fields):
        field["where"] = [
            {"page": region.page, "boxes": [[box.left, box.top, box.right, box.bottom] for box in region.boxes]}
            for region in places.get(number, ())
        ] or None
