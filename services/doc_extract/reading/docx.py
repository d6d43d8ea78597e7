"""DOCX files: paragraphs and tables in the order of the body. They have no places on a page."""

import io
import zipfile
import zlib
from collections.abc import Iterator

import docx
from docx.opc.exceptions import PackageNotFoundError
from docx.oxml.exceptions import InvalidXmlError
from docx.table import Table as DocxTable
from docx.text.paragraph import Paragraph as DocxParagraph
from lxml.etree import LxmlError

from bankai.errors import InvalidRequestError
from services.doc_extract.page import Block, Cell, Page, Paragraph, Table
from services.doc_extract.reading.plain import placeless


def read_docx(data: bytes) -> list[Page]:
    """One page without places. Merged cells come once; deleted text of tracked changes is left out.

    Raises:
        InvalidRequestError: FILE_CORRUPT.
    """
    try:
        document = docx.Document(io.BytesIO(data))
        blocks = list(_blocks(document.iter_inner_content()))
    except (
        InvalidXmlError,
        PackageNotFoundError,
        LxmlError,
        zipfile.BadZipFile,
        zlib.error,
        KeyError,
        ValueError,
        AttributeError,
        OSError,
        EOFError,
    ):
        raise InvalidRequestError("FILE_CORRUPT", "the DOCX cannot be read: save it anew and send it again") from None
    return [Page(1, 0, 0, blocks)]


def _blocks(content: Iterator[DocxParagraph | DocxTable]) -> Iterator[Block]:
    for item in content:
        if isinstance(item, DocxTable):
            yield Table(list(_cells(item)))
        elif item.text.strip():
            yield Paragraph(placeless(item.text.replace("\n", " ").replace("\t", " ")))


def _cells(table: DocxTable) -> Iterator[Cell]:
    for number, row in enumerate(table.rows):
        seen: set[int] = set()
        column = 0
        for cell in row.cells:
            if id(cell._tc) in seen:  # a merged cell is given once for every column that it covers
                continue
            seen.add(id(cell._tc))
            text = " ".join(part.text for part in cell.paragraphs).replace("\n", " ").replace("\t", " ")
            yield Cell(number, column, placeless(text))
            column += 1
