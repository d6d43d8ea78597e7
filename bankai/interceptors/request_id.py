"""Gives every call an id that is in its logs, its errors, its trailers and its onward calls."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from structlog.contextvars import bind_contextvars

from bankai.interceptors.base import CallInfo, Context, SyncInterceptor

HEADER = "x-request-id"

_ACCEPTED = re.compile(r"[0-9A-Za-z._:/+=-]{1,128}")
# Hexadecimal spelled without digits, so that the redaction of logs never takes a part of an id for somebody's number.
_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")

_current: ContextVar[str] = ContextVar("request_id", default="")


def current() -> str:
    """Id of the current call; empty outside of calls."""
    return _current.get()


def make() -> str:
    """A new id: 32 letters, 128 random bits."""
    return secrets.token_hex(16).translate(_LETTERS)


def accepted_or_new(given: str) -> str:
    """The id that a client gave, where it can serve as one, else a new one."""
    return given if _ACCEPTED.fullmatch(given) else make()


class RequestIdInterceptor(SyncInterceptor):
    """Takes the client's x-request-id or makes one, and returns it in the trailing metadata."""

    @contextmanager
    def around(self, call: CallInfo, context: Context) -> Iterator[None]:
        """Sets `current()` and binds the id and the method to the logs of the call."""
        identity = accepted_or_new(call.header(HEADER) or "")
        _current.set(identity)
        bind_contextvars(request_id=identity, method=call.method)
        trailer = (HEADER, identity)
        context.set_trailing_metadata((trailer,))  # here for aborts, which send the trailers at once
        yield
        trailers = tuple(item for item in context.trailing_metadata() or () if item[0] != HEADER)
        context.set_trailing_metadata((*trailers, trailer))  # again, as the handler may have set others
