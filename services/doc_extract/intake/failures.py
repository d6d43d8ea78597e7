"""Errors that both the service and its workers give."""

from bankai.errors import InvalidRequestError


def too_costly() -> InvalidRequestError:
    """The error for a file that asks for more memory or time than it may have."""
    return InvalidRequestError(
        "FILE_TOO_COSTLY", "reading the file takes more memory or time than a document should: save it anew or split it"
    )
