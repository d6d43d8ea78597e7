"""What is refused before any work is done for it."""

from bankai.requests import MAX_ID, invalid

MAX_FILE_NAME = 255
MAX_SEARCH = 200


def check_file_name(file_name: str, field: str) -> None:
    """Refuses a name that cannot be shown.

    Raises:
        InvalidRequestError: FILE_NAME_INVALID.
    """
    if len(file_name) > MAX_FILE_NAME or not file_name.isprintable():
        raise invalid("FILE_NAME_INVALID", field, f"must have at most {MAX_FILE_NAME} printable characters")


def check_reviewer(reviewer: str) -> None:
    """Refuses a review of nobody.

    Raises:
        InvalidRequestError: REVIEWER_REQUIRED.
    """
    if not 1 <= len(reviewer) <= MAX_ID or not reviewer.isprintable() or not reviewer.strip():
        raise invalid("REVIEWER_REQUIRED", "reviewer", f"must say who, in 1 to {MAX_ID} printable characters")


def check_search(text: str) -> None:
    """Refuses a text too long to look for.

    Raises:
        InvalidRequestError: SEARCH_TOO_LONG.
    """
    if len(text) > MAX_SEARCH:
        raise invalid("SEARCH_TOO_LONG", "text", f"must have at most {MAX_SEARCH} characters")
