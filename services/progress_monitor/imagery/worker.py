"""The process that decodes one picture (see bankai.sandbox): `python -m services.progress_monitor.imagery.worker`."""

import json
import sys

from bankai.errors import InvalidRequestError
from bankai.sandbox import answered, limit_this_process
from services.progress_monitor.imagery.cutting import cut
from services.progress_monitor.imagery.limits import ImageLimits
from services.progress_monitor.imagery.opening import opened
from services.progress_monitor.imagery.question import Question
from services.progress_monitor.imagery.wire import packed


def too_costly() -> InvalidRequestError:
    """The error for a picture that asks for more memory or time than it may have."""
    return InvalidRequestError(
        "IMAGE_TOO_COSTLY", "decoding the picture takes more memory or time than it should: cut it to the site"
    )


def decode(question: Question, limits: ImageLimits) -> bytes:
    """The site in the picture, as bytes.

    Raises:
        InvalidRequestError: What opening and cutting raise.
    """
    with opened(question.path, limits) as dataset:
        return b"C" + packed(cut(dataset, question))


def main() -> None:
    """Runs the command."""
    limits = ImageLimits(**json.loads(sys.argv[1]))
    limit_this_process(limits.memory_bytes, limits.cpu_s)
    data = sys.stdin.buffer.read()
    answered(lambda: decode(Question.unpacked(data), limits), too_costly)


if __name__ == "__main__":
    main()
