"""What is refused before a model sees it."""

from collections.abc import Sequence

from bankai.errors import FieldViolation, InvalidRequestError
from services.intent.segment import Segment
from services.intent.text import normalise

MAX_TEXT = 2000
"""Characters of one utterance."""
MAX_CONTEXT = 20
"""Utterances of context."""
MAX_ID = 128
"""Characters of a call's or a segment's id."""
LANGUAGES = ("", "zh", "en")


def check_text(text: str, field: str) -> None:
    """Refuses a text that says nothing or too much.

    Raises:
        InvalidRequestError: EMPTY_TEXT or TEXT_TOO_LONG.
    """
    if len(text) > MAX_TEXT:
        raise _invalid("TEXT_TOO_LONG", field, f"has {len(text):,} characters; at most {MAX_TEXT:,} are taken")
    if not normalise(text):
        raise _invalid("EMPTY_TEXT", field, "is empty or blank; send what was said")


def check_context(context: Sequence[str]) -> None:
    """Refuses context with too many or too long utterances; blank ones are passed over.

    Raises:
        InvalidRequestError: CONTEXT_TOO_LONG.
    """
    if len(context) > MAX_CONTEXT:
        raise _invalid("CONTEXT_TOO_LONG", "context", f"has {len(context)} utterances; at most {MAX_CONTEXT} are taken")
    for index, text in enumerate(context):
        if len(text) > MAX_TEXT:
            what = f"has {len(text):,} characters; at most {MAX_TEXT:,} are taken"
            raise _invalid("CONTEXT_TOO_LONG", f"context[{index}]", what)


def check_language(language: str, field: str) -> None:
    """Refuses a language that the models do not know.

    Raises:
        InvalidRequestError: UNSUPPORTED_LANGUAGE.
    """
    if language not in LANGUAGES:
        raise _invalid("UNSUPPORTED_LANGUAGE", field, 'must be "zh", "en", or empty for either')


def check_call_id(call_id: str) -> None:
    """Refuses a call without a usable id.

    Raises:
        InvalidRequestError: CALL_ID_REQUIRED.
    """
    if not 1 <= len(call_id) <= MAX_ID:
        raise _invalid("CALL_ID_REQUIRED", "config.call_id", f"must have 1 to {MAX_ID} characters")


def check_segment(segment: Segment) -> None:
    """Refuses a segment that cannot be used by itself.

    Raises:
        InvalidRequestError: SEGMENT_ID_REQUIRED, EMPTY_TEXT or TEXT_TOO_LONG.
    """
    if not 1 <= len(segment.segment_id) <= MAX_ID:
        raise _invalid("SEGMENT_ID_REQUIRED", "segment.segment_id", f"must have 1 to {MAX_ID} characters")
    check_text(segment.text, "segment.text")


def _invalid(reason: str, field: str, what: str) -> InvalidRequestError:
    return InvalidRequestError(reason, f"{field} {what}", violations=[FieldViolation(field, what)])
