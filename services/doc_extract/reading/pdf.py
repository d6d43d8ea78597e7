"""PDF files, read with PDFium: the text layer of each page, or its picture."""

import ctypes
import io
import math
from collections import Counter
from collections.abc import Sequence
from itertools import islice

import numpy as np
import pikepdf
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from bankai.errors import InvalidRequestError
from services.doc_extract.intake.limits import IntakeLimits
from services.doc_extract.page import Block, CharBoxes, Page, PageImage, Scan
from services.doc_extract.reading.drawn_rules import Rules, drawn_rules
from services.doc_extract.reading.layout import blocks
from services.doc_extract.reading.segments import Glyphs
from services.doc_extract.reading.vertical import is_vertical, laid, stood

_FEW = 40
"""Characters of a text layer that may be a stamp or a page's number on a scan."""
_MOST_OF_PAGE = 0.5
"""Share of a page that an image covers which is the page."""
_DPI = 200.0
_MOST_PIXELS = 12_000_000
"""Of a page's picture; A3 at 200 dpi has 7.7 million."""
_LETTERS = 10
"""Texts that a page draws, none of which can be read, that show that it is not empty."""
_SAMPLE = 200
"""Characters that tell a page's direction."""
_BROKEN_SHARE = 0.2
"""A text layer with more private or replacement characters than this cannot be trusted."""


def read_pdf(data: bytes, limits: IntakeLimits) -> list[Page | Scan]:
    """The pages of a PDF, each turned so that most of its text is upright; those without a usable text layer as scans.

    Raises:
        InvalidRequestError: FILE_ENCRYPTED, FILE_CORRUPT, TOO_MANY_PAGES, PAGE_TOO_LARGE, DOCUMENT_TOO_LONG,
            FONT_NOT_EMBEDDED.
    """
    document = _opened(data)
    try:
        count = len(document)
        if not count:
            raise InvalidRequestError("FILE_CORRUPT", "the PDF has no page that can be read: save it anew")
        if count > limits.max_pages:
            raise InvalidRequestError(
                "TOO_MANY_PAGES", f"the PDF has {count} pages, more than {limits.max_pages}: split it"
            )
        pages: list[Page | Scan] = []
        left = limits.max_characters
        for index in range(count):
            page, characters = _page(document, index, limits)
            left -= characters
            if left < 0:
                raise InvalidRequestError("DOCUMENT_TOO_LONG", f"the PDF has over {limits.max_characters} characters")
            pages.append(page)
        return pages
    finally:
        document.close()


def draw_pdf(data: bytes, numbers: Sequence[int]) -> list[PageImage]:
    """Pictures of some pages, as a reader shows them.

    Raises:
        InvalidRequestError: FILE_ENCRYPTED, FILE_CORRUPT.
    """
    document = _opened(data)
    try:
        return [_drawn(document, number) for number in numbers]
    finally:
        document.close()


def _drawn(document: pdfium.PdfDocument, number: int) -> PageImage:
    try:
        page = document[number - 1]
        width, height = page.get_size()
        scale = min(_DPI / 72, math.sqrt(_MOST_PIXELS / max(1.0, width * height)))
        pixels = page.render(scale=scale, rev_byteorder=True).to_numpy()[:, :, :3]
    except (pdfium.PdfiumError, IndexError):
        raise InvalidRequestError("FILE_CORRUPT", f"page {number} of the PDF cannot be drawn: save it anew") from None
    return PageImage(np.ascontiguousarray(pixels), 72 * scale)


def _opened(data: bytes) -> pdfium.PdfDocument:
    try:
        return pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if "password" in str(error).lower() or "security" in str(error).lower():
            raise InvalidRequestError("FILE_ENCRYPTED", "the PDF is protected by a password: send it without") from None
    try:
        repaired = io.BytesIO()
        with pikepdf.open(io.BytesIO(data)) as damaged:
            damaged.save(repaired)
        return pdfium.PdfDocument(repaired.getvalue())
    except pikepdf.PasswordError:
        raise InvalidRequestError("FILE_ENCRYPTED", "the PDF is protected by a password: send it without") from None
    except (pikepdf.PdfError, pdfium.PdfiumError, ValueError, RuntimeError, OSError):
        raise InvalidRequestError(
            "FILE_CORRUPT", "the PDF is damaged or cut off and cannot be repaired: send it again"
        ) from None


def _page(document: pdfium.PdfDocument, index: int, limits: IntakeLimits) -> tuple[Page | Scan, int]:
    try:
        page = document[index]
    except pdfium.PdfiumError:
        raise InvalidRequestError("FILE_CORRUPT", f"page {index + 1} of the PDF cannot be read: save it anew") from None
    width, height = page.get_size()
    if not 0 < max(width, height) <= limits.max_page_points:
        raise InvalidRequestError(
            "PAGE_TOO_LARGE", f"page {index + 1} is longer than {limits.max_page_points} points on a side"
        )
    text_page = page.get_textpage()
    turn = _direction(text_page)
    glyphs = _glyphs(page, text_page, turn, limits)
    text_page.close()
    if _is_scan(page, glyphs):
        page.close()
        return Scan(index + 1), 0
    if not glyphs and _has_unreadable_text(page):
        raise InvalidRequestError(
            "FONT_NOT_EMBEDDED",
            f"page {index + 1} is written in a font that the PDF does not carry: save it anew with its fonts embedded",
        )
    flag = page.get_rotation()
    if (turn - flag) % 180:
        width, height = height, width
    rules = _upright(page.get_cropbox(), drawn_rules(page), turn)
    found = Page(index + 1, width, height, _blocks(glyphs, rules, width, height), rotation=(turn - flag) % 360)
    characters = len(glyphs.text)
    page.close()
    return found, characters


def _blocks(glyphs: Glyphs, rules: Rules, width: float, height: float) -> list[Block]:
    if not is_vertical(glyphs):
        return blocks(glyphs, rules, width, height)
    columns = Glyphs(glyphs.text, laid(glyphs.boxes, width))
    return [stood(block, width) for block in blocks(columns, laid(rules, width), height, width)]


def _direction(text_page: pdfium.PdfTextPage) -> int:
    """Degrees, clockwise, that make most of the text upright, from PDF's user space: 0, 90, 180 or 270."""
    count = text_page.count_chars()
    sample = range(0, count, max(1, count // _SAMPLE))
    turns = Counter(
        round(math.degrees(pdfium_c.FPDFText_GetCharAngle(text_page, at)) / 90) * 90 % 360
        for at in sample
        if not chr(min(pdfium_c.FPDFText_GetUnicode(text_page, at), 0x10FFFF)).isspace()
    )
    return turns.most_common(1)[0][0] if turns else 0


def _glyphs(page: pdfium.PdfPage, text_page: pdfium.PdfTextPage, turn: int, limits: IntakeLimits) -> Glyphs:
    """Every character of a page with its box on the page that was turned."""
    count = min(text_page.count_chars(), limits.max_characters)
    letters = np.empty(count, np.uint32)
    places = np.empty((count, 4), np.float32)
    box = pdfium_c.FS_RECTF()
    reference = ctypes.byref(box)
    for at in range(count):
        letters[at] = pdfium_c.FPDFText_GetUnicode(text_page, at)
        pdfium_c.FPDFText_GetLooseCharBox(text_page, at, reference)
        places[at] = box.left, box.top, box.right, box.bottom
    letters[(letters == 0) | (letters > 0x10FFFF) | ((letters >= 0xD800) & (letters < 0xE000))] = 0xFFFD
    return Glyphs("".join(map(chr, letters.tolist())), _upright(page.get_cropbox(), places, turn))


def _upright(crop: tuple[float, float, float, float], places: CharBoxes, turn: int) -> CharBoxes:
    """Boxes of PDF's user space, from the lower left, to those of the page turned clockwise, from the upper left."""
    left, bottom, right, top = crop
    x0, x1 = places[:, 0] - left, places[:, 2] - left
    y0, y1 = top - places[:, 1], top - places[:, 3]
    width, height = right - left, top - bottom
    turned = {
        0: (x0, y0, x1, y1),
        90: (height - y1, x0, height - y0, x1),
        180: (width - x1, height - y1, width - x0, height - y0),
        270: (y0, width - x1, y1, width - x0),
    }[turn]
    return np.stack(turned, axis=1).astype(np.float32)


def _is_scan(page: pdfium.PdfPage, glyphs: Glyphs) -> bool:
    """Whether a page's text layer is missing, broken, or no more than a stamp on its picture."""
    text = "".join(glyphs.text.split())
    broken = sum(letter == "\ufffd" or "\ue000" <= letter <= "\uf8ff" for letter in text)
    if broken > _BROKEN_SHARE * len(text):
        return True
    if len(text) >= _FEW:
        return False
    width, height = page.get_size()
    covered = 0.0
    for image in page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_IMAGE], max_depth=2):
        left, bottom, right, top = image.get_bounds()
        covered = max(covered, (right - left) * (top - bottom))
    return covered >= (_MOST_OF_PAGE if text else 0.0) * width * height and covered > 0


def _has_unreadable_text(page: pdfium.PdfPage) -> bool:
    """Whether a page draws text; PDFium leaves out, and draws as nothing, what it knows no glyph of."""
    texts = page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_TEXT], max_depth=2)
    return sum(1 for _ in islice(texts, _LETTERS)) == _LETTERS
