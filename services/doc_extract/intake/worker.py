"""The process that parses one file and ends: `python -m services.doc_extract.intake.worker LIMITS`.

It reads the file from standard input up to its end and writes to standard output: a byte "P" and the pages, or "E" and
an error's reason and message as JSON. It imports everything before it reads, so that it can wait, warm, for its file.
"""

import json
import resource
import sys

from bankai.errors import BankaiError
from services.doc_extract.intake.failures import too_costly
from services.doc_extract.intake.limits import IntakeLimits
from services.doc_extract.intake.media import Media, media_of
from services.doc_extract.intake.wire import packed
from services.doc_extract.page import Page
from services.doc_extract.reading.docx import read_docx
from services.doc_extract.reading.pdf import read_pdf
from services.doc_extract.reading.plain import read_plain


def parse(data: bytes, limits: IntakeLimits) -> list[Page]:
    """The pages of a file.

    Raises:
        InvalidRequestError: What the file's reader, or `media_of`, raises.
    """
    media = media_of(data, limits)
    if media is Media.PDF:
        return read_pdf(data, limits)
    return read_docx(data) if media is Media.DOCX else read_plain(data)


def main() -> None:
    """Runs the command."""
    limits = IntakeLimits(**json.loads(sys.argv[1]))
    for which, most in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.cpu_s),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        resource.setrlimit(which, (most, most))
    data = sys.stdin.buffer.read()
    try:
        answer = b"P" + packed(parse(data, limits))
    except BankaiError as error:
        answer = _refusal(error)
    except (MemoryError, RecursionError):
        answer = _refusal(too_costly())
    sys.stdout.buffer.write(answer)


def _refusal(error: BankaiError) -> bytes:
    return b"E" + json.dumps([error.reason, error.message]).encode()


if __name__ == "__main__":
    main()
