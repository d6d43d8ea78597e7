"""Keeps every channel within its limits."""

import asyncio
from collections.abc import Awaitable
from typing import Any, NoReturn

from bankai.errors import ExhaustedError
from bankai.interceptors import Context
from bankai.interceptors.base import BaseInterceptor, Handler
from gateway.policy.permit import Permit, current_permit
from gateway.quota import refusals
from gateway.quota.limiter import Limiter


class QuotaInterceptor(BaseInterceptor):
    """Refuses calls beyond the limits of their channel, and ends streams beyond those of a call.

    Belongs further in than what makes a permit; calls without one, such as health checks, pass. A call counts as what
    its handler is: a unary method whose kind the gateway has not learned yet is relayed, and counted, as a stream.

    Args:
        limiter: The channels' limits.
    """

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter

    def wrap(self, handler: Handler) -> None:
        """Runs the handler within the limits."""
        behaviour = handler.behaviour
        is_stream = handler.request_streaming or handler.response_streaming
        watch = _StreamWatch(handler) if handler.request_streaming else None

        async def wrapped(request: Any, context: Context) -> Any:
            permit = _permit()
            if permit is None:
                return await behaviour(request, context)
            if watch is None:
                _check_size(permit, request)
            quota = self._limiter.of(permit)
            slots = quota.streams if is_stream else quota.calls
            slots.enter()
            try:
                # Last of all that may refuse, as a refused call costs no token.
                if not quota.admit_at_once():
                    await quota.admit()
                running = behaviour(request, context)
                return await (_within(permit, watch, running) if is_stream else running)
            finally:
                slots.leave()

        handler.behaviour = wrapped


class _StreamWatch:
    """Looks at every message that a client sends on one stream, where it is decoded.

    A handler may read in another task than the call's own, which would not hear of what is raised there; so a message
    too many ends the whole handler, too.
    """

    def __init__(self, handler: Handler) -> None:
        self.refusal: ExhaustedError | None = None
        self._call = handler.call
        self._permit: Permit | None = None
        decode = handler.request_deserializer

        def checked(raw: bytes) -> Any:
            if self._permit is not None:
                self._check(self._permit, raw)
            return raw if decode is None else decode(raw)

        handler.request_deserializer = checked

    def begin(self, permit: Permit, scope: asyncio.Timeout) -> None:
        """Looks from now on, and ends the scope at the first message too many."""
        self._permit, self._scope = permit, scope

    def _check(self, permit: Permit, raw: bytes) -> None:
        limit = permit.call_limits.max_stream_messages
        if limit is not None and self._call.received >= limit:
            self._end(refusals.stream_messages_exhausted(permit.channel, limit))
        try:
            _check_size(permit, raw)
        except ExhaustedError as refusal:
            self._end(refusal)

    def _end(self, refusal: ExhaustedError) -> NoReturn:
        self.refusal = refusal
        self._scope.reschedule(asyncio.get_running_loop().time())
        raise refusal


async def _within(permit: Permit, watch: _StreamWatch | None, running: Awaitable[Any]) -> Any:
    """Runs a stream's handler until its time is over or its watch ends it."""
    limit_s = permit.call_limits.max_stream_s
    try:
        async with asyncio.timeout(limit_s) as scope:
            if watch is not None:
                watch.begin(permit, scope)
            return await running
    except TimeoutError as error:
        if not scope.expired():  # the handler's own
            raise
        if watch is not None and watch.refusal is not None:
            raise watch.refusal from None
        raise refusals.stream_too_long(permit.channel, limit_s or 0.0) from error


def _check_size(permit: Permit, message: bytes) -> None:
    limit = permit.call_limits.max_message_bytes
    if limit is not None and len(message) > limit:
        raise refusals.message_too_large(permit.channel, limit, len(message))


def _permit() -> Permit | None:
    try:
        return current_permit()
    except LookupError:
        return None
