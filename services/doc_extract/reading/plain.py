"""Plain text files."""

import codecs

import numpy as np

from bankai.errors import InvalidRequestError
from services.doc_extract.intake.limits import IntakeLimits
from services.doc_extract.page import Cell, Line, Page, Paragraph, Table

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_CONTROL_SHARE = 0.02
"""More control characters than this are no text, whatever decodes them."""


def read_plain(data: bytes, limits: IntakeLimits) -> list[Page]:
    """One page without places: a paragraph per line, a row of cells where a line has tabs.

    Raises:
        InvalidRequestError: TEXT_UNDECODABLE for what is neither UTF-8, UTF-16 with its mark, nor GB 18030;
            DOCUMENT_TOO_LONG.
    """
    whole = _decoded(data)
    if len(whole) > limits.max_characters:
        raise InvalidRequestError(
            "DOCUMENT_TOO_LONG", f"the text has over {limits.max_characters} characters: split it"
        )
    blocks: list[Paragraph | Table] = []
    for text in whole.splitlines():
        if "\t" in text:
            cells = [Cell(0, column, placeless(part)) for column, part in enumerate(text.split("\t"))]
            blocks.append(Table(cells))
        elif text.strip():
            blocks.append(Paragraph(placeless(text)))
    return [Page(1, 0, 0, blocks)]


def placeless(text: str) -> list[Line]:
    """A line without places; none where there is nothing but white space."""
    return [Line(text, np.full((len(text), 4), np.nan, np.float32))] if text.strip() else []


def _decoded(data: bytes) -> str:
    marked = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    for encoding in (marked,) if marked else ("utf-8", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        odd = sum(ord(letter) < 32 and letter not in "\t\n\r\f" for letter in text)
        if odd <= _CONTROL_SHARE * len(text):
            return text
    raise InvalidRequestError("TEXT_UNDECODABLE", "the file is no text in UTF-8, UTF-16 or GB 18030")
