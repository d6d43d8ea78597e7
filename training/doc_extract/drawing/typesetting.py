"""Breaks text into lines and lines into pages: where every character of a document stands."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics

from services.doc_extract.page import Box
from services.doc_extract.text import Region
from training.doc_extract.drawing.document import Document, Form, Paragraph, Text
from training.doc_extract.drawing.fonts import ASCENT, DESCENT, registered

WIDTH, HEIGHT = A4
_MARGIN = 68.0
_LEADING = 1.65
_PADDING = 5.0
_NOT_FIRST = "，。、；：？！）》”’】〕％%‰,.;:)"
"""What must not begin a line."""


@dataclass(frozen=True, slots=True)
class Run:
    """Characters on one line; the baseline is in points from the top."""

    text: str
    left: float
    baseline: float
    size: float


@dataclass(slots=True)
class Sheet:
    """What is drawn on one page; rules are lines from x0, y0 to x1, y1 in points from the upper left corner."""

    runs: list[Run] = field(default_factory=list)
    rules: list[tuple[float, float, float, float]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Layout:
    """A document on its pages.

    Attributes:
        sheets: Page by page.
        places: Of each mark's key where its characters stand.
    """

    sheets: Sequence[Sheet]
    places: dict[int, tuple[Region, ...]]


@dataclass(frozen=True, slots=True)
class _Line:
    """Part of a text with the right edge of each character, from the line's left."""

    text: Text
    start: int
    end: int
    edges: Sequence[float]

    @property
    def width(self) -> float:
        return self.edges[-1] if self.edges else 0.0


def typeset(document: Document) -> Layout:
    """Lays a document out on A4 pages."""
    press = _Press(document)
    for block in document.blocks:
        if isinstance(block, Paragraph):
            press.paragraph(block)
        else:
            press.form(block)
    places = {key: tuple(Region(page, tuple(boxes)) for page, boxes in on.items()) for key, on in press.boxes.items()}
    return Layout(press.sheets, places)


class _Press:
    """A document on its way onto pages."""

    def __init__(self, document: Document) -> None:
        self._font = registered(document.face)
        self._size = document.size
        self._top = _MARGIN
        self.sheets = [Sheet()]
        self.boxes: dict[int, dict[int, list[Box]]] = defaultdict(lambda: defaultdict(list))

    def paragraph(self, paragraph: Paragraph) -> None:
        size = self._size * paragraph.scale
        indent = paragraph.indent * size
        room = WIDTH - 2 * _MARGIN
        for number, line in enumerate(self._lines(paragraph.text, size, room, indent)):
            self._make_room(size * _LEADING)
            shift = {"left": 0.0 if number else indent, "centre": (room - line.width) / 2, "right": room - line.width}
            self._set(line, _MARGIN + shift[paragraph.align], self._top, size)
            self._top += size * _LEADING

    def form(self, form: Form) -> None:
        shares = {len(each): each for each in form.widths}
        self._top += _PADDING
        for row in form.rows:
            self._row(row, shares.get(len(row), [1 / len(row)] * len(row)))
        self._top += _PADDING

    def _row(self, row: Sequence[Text], shares: Sequence[float]) -> None:
        widths = [share * (WIDTH - 2 * _MARGIN) for share in shares]
        cells = [
            self._lines(text, self._size, width - 2 * _PADDING, 0.0) for text, width in zip(row, widths, strict=True)
        ]
        step = self._size * 1.4
        height = max(len(lines) for lines in cells) * step + 2 * _PADDING
        self._make_room(height)
        left, rules = _MARGIN, self.sheets[-1].rules
        rules += [(_MARGIN, y, WIDTH - _MARGIN, y) for y in (self._top, self._top + height)]
        rules.append((left, self._top, left, self._top + height))
        for lines, width in zip(cells, widths, strict=True):
            top = self._top + (height - len(lines) * step) / 2
            for number, line in enumerate(lines):
                self._set(line, left + _PADDING, top + number * step, self._size, step=step)
            left += width
            rules.append((left, self._top, left, self._top + height))
        self._top += height

    def _make_room(self, height: float) -> None:
        if self._top + height > HEIGHT - _MARGIN:
            self.sheets.append(Sheet())
            self._top = _MARGIN

    def _lines(self, text: Text, size: float, room: float, indent: float) -> list[_Line]:
        """A text in lines; an empty text is one empty line."""
        lines: list[_Line] = []
        edges: list[float] = []
        start, free = 0, room - indent
        for at, letter in enumerate(text.text):
            width = pdfmetrics.stringWidth(letter, self._font, size)
            before = edges[-1] if edges else 0.0
            if edges and before + width > free and letter not in _NOT_FIRST:
                lines.append(_Line(text, start, at, edges))
                start, edges, before, free = at, [], 0.0, room
            edges.append(before + width)
        return [*lines, _Line(text, start, len(text.text), edges)]

    def _set(self, line: _Line, left: float, top: float, size: float, *, step: float = 0.0) -> None:
        baseline = top + ((step or size * _LEADING) - size) / 2 + ASCENT * size
        shown = line.text.text[line.start : line.end]
        if shown.strip():
            self.sheets[-1].runs.append(Run(shown, left, baseline, size))
        for mark in line.text.marks:
            start, end = max(mark.start, line.start), min(mark.end, line.end)
            if start < end:
                first = line.edges[start - line.start - 1] if start > line.start else 0.0
                last = line.edges[end - line.start - 1]
                box = Box(left + first, baseline - ASCENT * size, left + last, baseline + DESCENT * size)
                self.boxes[mark.key][len(self.sheets)].append(box)
