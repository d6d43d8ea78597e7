"""Pages of lists that are ordered by time and id, the newest first."""

import base64
import binascii
import json

from bankai.requests import invalid

DEFAULT_SIZE = 50
MAX_SIZE = 200

Place = tuple[float, str]
"""Time and id of an entry."""


def size(asked: int) -> int:
    """How many entries a page has."""
    return min(asked, MAX_SIZE) if asked > 0 else DEFAULT_SIZE


def token(place: Place) -> str:
    """What a client sends to get the page behind an entry."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def place(page_token: str) -> Place | None:
    """The entry behind which a page begins; None for the first page.

    Raises:
        InvalidRequestError: PAGE_TOKEN_INVALID.
    """
    if not page_token:
        return None
    try:
        time, entry = json.loads(base64.urlsafe_b64decode(page_token))
        return float(time), str(entry)
    except (ValueError, TypeError, binascii.Error):
        raise invalid("PAGE_TOKEN_INVALID", "page_token", "must be a next_page_token as it was given") from None
