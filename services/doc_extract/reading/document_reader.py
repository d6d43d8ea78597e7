"""Files to pages with their text, whatever they are: text layers as they are, pictures of pages recognised."""

import asyncio
from collections.abc import Callable, Sequence

from services.doc_extract.intake.reader import FileReader
from services.doc_extract.page import Page, Scan
from services.doc_extract.progress import Progress
from services.doc_extract.reading.margins import without_margins
from services.doc_extract.reading.ocr.reader import PageReader

_AT_ONCE = 2
"""Pictures that a document has in memory at once."""


class DocumentReader:
    """Reads documents. Belongs to one event loop.

    Args:
        files: Reads files.
        pages: Reads pictures of pages.
    """

    def __init__(self, files: FileReader, pages: PageReader) -> None:
        self._files = files
        self._pages = pages

    async def read(
        self,
        data: bytes,
        *,
        timeout: float,  # noqa: ASYNC109  # part of a deadline
        progress: Callable[[Progress], None],
    ) -> tuple[Page, ...]:
        """The pages of a document.

        Args:
            data: The file.
            timeout: Seconds until the answer is of no use any more.
            progress: Told of the pages that have been read.

        Raises:
            BankaiError: What the readers raise.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout
        found = await self._files.read(data, timeout=timeout)
        scans = [page.number for page in found if isinstance(page, Scan)]
        read = {page.number: page for page in found if isinstance(page, Page)}
        progress(Progress(len(read), len(found)))
        for start in range(0, len(scans), _AT_ONCE):
            for page in await self._recognised(data, scans[start : start + _AT_ONCE], end):
                read[page.number] = page
            progress(Progress(len(read), len(found)))
        return without_margins([read[page.number] for page in found])

    async def _recognised(self, data: bytes, numbers: Sequence[int], end: float) -> list[Page]:
        loop = asyncio.get_running_loop()
        pictures = await self._files.draw(data, numbers, timeout=end - loop.time())
        return await asyncio.gather(
            *(
                self._pages.read(picture.pixels, dpi=picture.dpi, number=number, timeout=end - loop.time())
                for number, picture in zip(numbers, pictures, strict=True)
            )
        )
