"""The process that decodes one picture (see bankai.sandbox): `python -m services.progress_monitor.imagery.worker`."""

import json
import sys
from contextlib import ExitStack

from bankai.errors import InvalidRequestError
from bankai.sandbox import answered, limit_this_process
from services.progress_monitor.imagery.cutting import cut, extents
from services.progress_monitor.imagery.limits import ImageLimits
from services.progress_monitor.imagery.opening import corrupt, opened
from services.progress_monitor.imagery.question import Layer, Question
from services.progress_monitor.imagery.wire import packed


def too_costly() -> InvalidRequestError:
    """The error for a picture that asks for more memory or time than it may have."""
    return InvalidRequestError(
        "IMAGE_TOO_COSTLY", "decoding the picture takes more memory or time than it should: cut it to the site"
    )


def decode(question: Question, limits: ImageLimits) -> bytes:
    """The site in the picture, or what of its files is needed to cut it, as bytes.

    Raises:
        InvalidRequestError: What opening and cutting raise.
    """
    if question.extents:
        return b"X" + json.dumps([_extents(layer, question, limits) for layer in question.layers]).encode()
    with ExitStack() as files:
        datasets = [files.enter_context(opened(layer.path, limits)) for layer in question.layers]
        return b"C" + packed(cut(datasets, question))


def _extents(layer: Layer, question: Question, limits: ImageLimits) -> list[tuple[int, int]] | None:
    try:
        with opened(layer.path, limits) as dataset:
            return extents(dataset, layer, question)
    except InvalidRequestError as error:
        if error.reason == corrupt().reason:  # its header lies elsewhere than at its beginning
            return None
        raise


def main() -> None:
    """Runs the command."""
    limits = ImageLimits(**json.loads(sys.argv[1]))
    limit_this_process(limits.memory_bytes, limits.cpu_s)
    data = sys.stdin.buffer.read()
    answered(lambda: decode(Question.unpacked(data), limits), too_costly)


if __name__ == "__main__":
    main()
