"""The service as a process of its own, to be killed: python -m tests.services.doc_extract.serving.process JOURNAL."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from bankai.process import main
from services.doc_extract.app import serving
from services.doc_extract.progress import Progress
from services.doc_extract.result import Extraction
from services.doc_extract.schema import Schema
from services.doc_extract.settings import DocExtractSettings
from tests.services.doc_extract.serving.fakes import extraction

PAUSE_S = 0.2


class JournalExtractor:
    """Takes its time, and notes every document that it begins.

    Args:
        journal: Where.
    """

    def __init__(self, journal: Path) -> None:
        self._journal = journal

    async def extract(
        self,
        data: bytes,
        schema: Schema,
        *,
        timeout: float,  # noqa: ASYNC109  # as the real one
        progress: Callable[[Progress], None] | None = None,
    ) -> Extraction:
        text = data.decode()
        with self._journal.open("a", encoding="utf-8") as file:
            file.write(text + "\n")
        await asyncio.sleep(PAUSE_S)
        return extraction(text, schema)


async def serve(settings: DocExtractSettings) -> None:
    async with serving(settings, JournalExtractor(Path(sys.argv[1]))) as server:
        await server.run()


if __name__ == "__main__":
    main(DocExtractSettings, "doc_extract", serve)
