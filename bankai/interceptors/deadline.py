"""Gives every unary call a deadline and tells handlers how much time is left."""

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar

from bankai.errors import DeadlineError
from bankai.interceptors.base import CallInfo, Context, Interceptor

_ends_at: ContextVar[float] = ContextVar("deadline", default=math.inf)


def remaining() -> float:
    """Seconds until the current call's deadline: 0 once it has passed, infinite where there is none (long streams)."""
    return max(_ends_at.get() - time.monotonic(), 0.0)


def shorten(seconds: float) -> None:
    """Brings the current call's deadline forward, for `remaining()` and whoever goes by it.

    Args:
        seconds: From now; a deadline that is nearer stays.
    """
    _ends_at.set(min(_ends_at.get(), time.monotonic() + seconds))


class DeadlineInterceptor(Interceptor):
    """Enforces a default deadline on unary calls that came without one. The client's own deadline is kept by gRPC.

    Args:
        default_s: That deadline, in seconds; None enforces none.
    """

    def __init__(self, default_s: float | None) -> None:
        self._default_s = default_s

    @asynccontextmanager
    async def around(self, call: CallInfo, context: Context) -> AsyncIterator[None]:
        """Sets `remaining()`; raises DeadlineError when the default deadline passes."""
        left: float | None = context.time_remaining()
        if left is not None or self._default_s is None or call.request_streaming or call.response_streaming:
            _ends_at.set(math.inf if left is None else time.monotonic() + left)
            yield
            return
        _ends_at.set(time.monotonic() + self._default_s)
        try:
            async with asyncio.timeout(self._default_s) as timeout:
                yield
        except TimeoutError as error:
            if not timeout.expired():  # the handler's own
                raise
            raise DeadlineError(
                "DEADLINE_EXCEEDED", f"no answer within {self._default_s:g} s, the limit for calls without a deadline"
            ) from error
