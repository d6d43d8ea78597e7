"""The process that parses one file and ends: `python -m services.doc_extract.intake.worker LIMITS`.

It reads from standard input up to its end: a line of JSON, the numbers of the pages to draw or null to read them all,
and the file. It writes to standard output: a byte "P" and the pages, "I" and pictures, or "E" and an error's reason and
message as JSON. It imports everything before it reads, so that it can wait, warm, for its file.
"""

import json
import sys
from collections.abc import Sequence

from bankai.sandbox import answered, limit_this_process
from services.doc_extract.intake.failures import too_costly
from services.doc_extract.intake.limits import IntakeLimits
from services.doc_extract.intake.media import Media, media_of
from services.doc_extract.intake.wire import packed, packed_pictures
from services.doc_extract.page import Page, PageImage, Scan
from services.doc_extract.reading.docx import read_docx
from services.doc_extract.reading.images import pictures_of, scans_of
from services.doc_extract.reading.pdf import draw_pdf, read_pdf
from services.doc_extract.reading.plain import read_plain


def parse(data: bytes, limits: IntakeLimits) -> Sequence[Page | Scan]:
    """The pages of a file.

    Raises:
        InvalidRequestError: What the file's reader, or `media_of`, raises.
    """
    media = media_of(data, limits)
    if media is Media.PDF:
        return read_pdf(data, limits)
    if media is Media.IMAGE:
        return scans_of(data, limits)
    return read_docx(data) if media is Media.DOCX else read_plain(data, limits)


def draw(data: bytes, numbers: Sequence[int], limits: IntakeLimits) -> list[PageImage]:
    """Pictures of some pages of a file that `parse` found to be scans.

    Raises:
        InvalidRequestError: As `parse`.
    """
    if media_of(data, limits) is Media.PDF:
        return draw_pdf(data, numbers)
    return pictures_of(data, numbers, limits)


def main() -> None:
    """Runs the command."""
    limits = IntakeLimits(**json.loads(sys.argv[1]))
    limit_this_process(limits.memory_bytes, limits.cpu_s)
    numbers = json.loads(sys.stdin.buffer.readline())
    data = sys.stdin.buffer.read()

    def asked() -> bytes:
        if numbers is None:
            return b"P" + packed(parse(data, limits))
        return b"I" + packed_pictures(draw(data, numbers, limits))

    answered(asked, too_costly)


if __name__ == "__main__":
    main()
