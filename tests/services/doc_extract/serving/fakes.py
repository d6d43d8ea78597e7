"""An extractor that finds lines of "field: text" in plain text and does what else the text says."""

import asyncio
from collections.abc import Callable

from bankai.errors import InvalidRequestError, UnavailableError
from services.doc_extract.page import Box, Source
from services.doc_extract.progress import Progress
from services.doc_extract.result import DocumentKind, Extraction, FieldValue, Finding, PageInfo
from services.doc_extract.schema import Schema
from services.doc_extract.text import Region

PAGES = 2


class ScriptedExtractor:
    """Understands "field: text" lines; "?" behind the text makes a value unsure.

    A line "!locked" makes the file unreadable, "!down" the models away while `down` is set, "!bug" a fault; "!hold"
    waits until `gate` is set.
    """

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.down = False
        self.begun: list[bytes] = []
        self.running = 0
        self.schemas: list[Schema] = []

    async def extract(
        self,
        data: bytes,
        schema: Schema,
        *,
        timeout: float,  # noqa: ASYNC109  # as the real one
        progress: Callable[[Progress], None] | None = None,
    ) -> Extraction:
        self.begun.append(data)
        self.schemas.append(schema)
        self.running += 1
        try:
            return await self._extract(data.decode("utf-8", "replace"), schema, progress)
        finally:
            self.running -= 1

    async def _extract(self, text: str, schema: Schema, progress: Callable[[Progress], None] | None) -> Extraction:
        lines = text.splitlines()
        if "!locked" in lines:
            raise InvalidRequestError("FILE_ENCRYPTED", "the file is protected by a password: send it without")
        if "!down" in lines and self.down:
            raise UnavailableError("INFERENCE_UNAVAILABLE", "the models do not answer", retry_after=1.0)
        if "!bug" in lines:
            raise RuntimeError(text)
        if progress:
            progress(Progress(1, PAGES))
        if "!hold" in lines:
            await self.gate.wait()
        await asyncio.sleep(0)
        return extraction(text, schema)


def extraction(text: str, schema: Schema) -> Extraction:
    values = []
    for number, line in enumerate(text.splitlines()):
        field, colon, value = line.partition(": ")
        if colon and schema.field(field):
            sure = not value.endswith("?")
            shown = value.removesuffix("?")
            start = text.index(line) + len(field) + 2
            regions = (Region(1, (Box(100.0, 20.0 * number, 200.0, 20.0 * number + 12),)),)
            values.append(
                FieldValue(field, shown, shown, 0.95 if sure else 0.5, not sure, start, start + len(shown), regions)
            )
    amounts = [index for index, value in enumerate(values) if value.field.startswith("amount")]
    findings = [Finding("amount_upper_mismatch", "differ", amounts)] if len(amounts) > 1 else []
    pages = [PageInfo(page, 595.0, 842.0, Source.DIGITAL, 0) for page in range(1, PAGES + 1)]
    return Extraction(DocumentKind.LOAN_CONTRACT, 0.9, values, findings, pages, schema.version, "scripted-1")
