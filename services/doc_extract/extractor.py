"""From a file's bytes to its fields: reading, understanding, checks."""

import asyncio
from collections.abc import Callable

from services.doc_extract.checks import run_checks
from services.doc_extract.checks.facts import Facts
from services.doc_extract.finders import find_candidates
from services.doc_extract.intake.reader import FileReader
from services.doc_extract.page import Page
from services.doc_extract.progress import Progress
from services.doc_extract.result import Extraction, FieldValue, PageInfo
from services.doc_extract.schema import Schema
from services.doc_extract.text import DocumentText
from services.doc_extract.understanding.kind import document_kind
from services.doc_extract.understanding.labelled import LabelledValue, Labels

RULES_VERSION = "labels-1"
"""Version of the rules that understand documents; part of every result."""

UNCALIBRATED = 0.5
"""What a value behind its label is worth as long as nobody has measured it: every one goes to review."""


class Extractor:
    """Extracts the fields of documents.

    Args:
        reader: Reads files.
    """

    def __init__(self, reader: FileReader) -> None:
        self._reader = reader

    async def extract(
        self,
        data: bytes,
        schema: Schema,
        *,
        timeout: float,  # noqa: ASYNC109  # part of a deadline
        progress: Callable[[Progress], None] | None = None,
    ) -> Extraction:
        """Extracts one document.

        Args:
            data: The file.
            schema: Fields to look for.
            timeout: Seconds until the answer is of no use any more.
            progress: Told of the pages that are done.

        Raises:
            BankaiError: What the reader raises.
        """
        pages = await self._reader.read(data, timeout=timeout)
        extraction = await asyncio.to_thread(understand, pages, schema)
        if progress:
            progress(Progress(len(pages), len(pages)))
        return extraction


def understand(pages: tuple[Page, ...], schema: Schema) -> Extraction:
    """The fields of a document that has been read."""
    text = DocumentText.of(pages)
    kind, share = document_kind(text.text)
    values = [
        _value(text, found, schema) for found in Labels(schema.fields).values(text.text, find_candidates(text.text))
    ]
    return Extraction(
        kind=kind,
        kind_confidence=share,
        values=values,
        findings=run_checks(Facts(kind, values, schema)),
        pages=[PageInfo(page.number, page.width, page.height, page.source, page.rotation) for page in pages],
        schema_version=schema.version,
        model_version=RULES_VERSION,
    )


def _value(text: DocumentText, found: LabelledValue, schema: Schema) -> FieldValue:
    field = schema.field(found.field)
    return FieldValue(
        field=found.field,
        text=text.text[found.start : found.end],
        norm=found.norm,
        confidence=UNCALIBRATED,
        needs_review=field is None or field.review_below > UNCALIBRATED,
        start=found.start,
        end=found.end,
        regions=text.regions(found.start, found.end),
    )
