"""Refuses calls beyond the number that the server can hold."""

from collections.abc import Iterator
from contextlib import contextmanager

from bankai.errors import ExhaustedError
from bankai.interceptors.base import CallInfo, Context, SyncInterceptor

_RETRY_AFTER_S = 1.0


class LimitInterceptor(SyncInterceptor):
    """Lets at most so many calls run at once; health checks always pass, lest a busy server be taken for a dead one.

    grpc's own limit knows neither that exception nor our error details.

    Args:
        max_calls: Calls at once, streams included.
    """

    def __init__(self, max_calls: int) -> None:
        self._max_calls = max_calls
        self._calls = 0

    @contextmanager
    def around(self, call: CallInfo, context: Context) -> Iterator[None]:  # noqa: ARG002  # part of the protocol
        """Raises ExhaustedError (TOO_MANY_CALLS) where the server is full."""
        if call.method.startswith("/grpc.health."):
            yield
            return
        if self._calls >= self._max_calls:
            raise ExhaustedError("TOO_MANY_CALLS", "the server is at its limit of calls", retry_after=_RETRY_AFTER_S)
        self._calls += 1
        try:
            yield
        finally:
            self._calls -= 1
