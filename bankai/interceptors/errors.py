"""Turns every exception that leaves a handler into a google.rpc.Status."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import structlog

from bankai import status
from bankai.errors import BankaiError, FaultError
from bankai.interceptors import request_id
from bankai.interceptors.base import CallInfo, Context, Interceptor

log = structlog.get_logger(__name__)


class ErrorsInterceptor(Interceptor):
    """Answers a BankaiError with its own status and anything else with INTERNAL; tracebacks go to the log only."""

    @asynccontextmanager
    async def around(self, call: CallInfo, context: Context) -> AsyncIterator[None]:
        """Catches what the handler raises; cancellation, aborts and writes to a client that is gone pass through."""
        try:
            yield
        except Exception as raised:
            cause = first_of_interest(raised)
            if isinstance(cause, grpc.aio.AbortError | grpc.aio.InternalError):
                raise cause from None
            error = cause if isinstance(cause, BankaiError) else status.internal_error(request_id.current())
            if isinstance(error, FaultError):
                log.exception("handler failed", method=call.method, reason=error.reason)
            if context.done():  # the status is out already; the log is all that is left to do
                raise
            call.reason = error.reason
            await status.abort(context, error, request_id.current())


def first_of_interest(raised: BaseException) -> BaseException:
    """What to answer for; of a handler that runs its parts in a task group, the first error that means something."""
    if not isinstance(raised, BaseExceptionGroup):
        return raised
    leaves = [first_of_interest(inner) for inner in raised.exceptions]
    for kind in (grpc.aio.AbortError, BankaiError, grpc.aio.InternalError):
        for leaf in leaves:
            if isinstance(leaf, kind):
                return leaf
    return leaves[0]
