"""What every service checks of its callers' requests."""

import asyncio
from collections.abc import AsyncIterator
from typing import TypeVar

from bankai.errors import DeadlineError, FieldViolation, InvalidRequestError

Message = TypeVar("Message")

MAX_ID = 128
"""Characters of a request id."""


def invalid(reason: str, field: str, what: str) -> InvalidRequestError:
    """The error for a field that is wrong.

    Args:
        reason: Stable reason code.
        field: Path of the field.
        what: What is wrong with it and what to do, as the rest of a sentence that begins with the field.
    """
    return InvalidRequestError(reason, f"{field} {what}", violations=[FieldViolation(field, what)])


def check_request_id(request_id: str, field: str) -> None:
    """Refuses an id that cannot stand for a request.

    Raises:
        InvalidRequestError: REQUEST_ID_INVALID.
    """
    if not 1 <= len(request_id) <= MAX_ID or not request_id.isprintable():
        raise invalid("REQUEST_ID_INVALID", field, f"must have 1 to {MAX_ID} printable characters")


async def without_idling(requests: AsyncIterator[Message], idle_s: float) -> AsyncIterator[Message]:
    """The messages of a call.

    Args:
        requests: As they come.
        idle_s: Seconds without a message after which the call is ended.

    Raises:
        DeadlineError: UPLOAD_IDLE.
    """
    while True:
        try:
            async with asyncio.timeout(idle_s):
                message = await anext(requests, None)
        except TimeoutError as error:
            raise DeadlineError(
                "UPLOAD_IDLE", f"nothing was sent for {idle_s:g} s; send again, and half-close at the end"
            ) from error
        if message is None:
            return
        yield message
