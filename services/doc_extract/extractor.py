"""From a file's bytes to its fields: reading, then understanding."""

import time
from collections.abc import Callable

from services.doc_extract.progress import Progress
from services.doc_extract.reading.document_reader import DocumentReader
from services.doc_extract.result import Extraction
from services.doc_extract.schema import Schema
from services.doc_extract.understanding.understander import Understander


class Extractor:
    """Extracts the fields of documents. Belongs to one event loop.

    Args:
        reader: Reads them.
        understander: Understands what was read.
    """

    def __init__(self, reader: DocumentReader, understander: Understander) -> None:
        self._reader = reader
        self._understander = understander

    async def extract(
        self,
        data: bytes,
        schema: Schema,
        *,
        timeout: float,  # noqa: ASYNC109  # part of a deadline
        progress: Callable[[Progress], None],
    ) -> Extraction:
        """Extracts one document.

        Args:
            data: The file.
            schema: Fields to look for.
            timeout: Seconds until the answer is of no use any more.
            progress: Told of the pages that have been read.

        Raises:
            BankaiError: What the readers and the models raise.
        """
        end = time.monotonic() + timeout
        pages = await self._reader.read(data, timeout=timeout, progress=progress)
        return await self._understander.understand(pages, schema, end - time.monotonic())
