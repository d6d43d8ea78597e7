"""Errors that every part of the service gives."""

from bankai.errors import FieldViolation, InvalidRequestError


def invalid(reason: str, field: str, what: str) -> InvalidRequestError:
    """The error for a field that is wrong.

    Args:
        reason: Stable reason code.
        field: Path of the field.
        what: What is wrong with it and what to do, as the rest of a sentence that begins with the field.
    """
    return InvalidRequestError(reason, f"{field} {what}", violations=[FieldViolation(field, what)])
