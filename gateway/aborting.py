"""Doing something before a handler's abort reaches the client: grpc sends the status at once, not on the way out."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, cast

import grpc

from bankai.interceptors import Context
from gateway.metadata import Metadatum

BeforeAbort = Callable[[grpc.StatusCode, tuple[Metadatum, ...]], Awaitable[None]]


def before_abort(context: Context, act: BeforeAbort) -> Context:
    """The context to give to a handler.

    Args:
        context: The call's context.
        act: Is run with the status and the trailing metadata before the call is aborted; what it raises takes the
            abort's place.
    """
    return cast("Context", _Context(context, act))


class _Context:
    """The same context but for `abort`. A subclass would have to repeat every method."""

    __slots__ = ("_act", "_context")

    def __init__(self, context: Context, act: BeforeAbort) -> None:
        self._context = context
        self._act = act

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    async def abort(
        self, code: grpc.StatusCode, details: str = "", trailing_metadata: Iterable[Metadatum] = ()
    ) -> None:
        trailers = tuple(trailing_metadata)
        await self._act(code, trailers)
        await self._context.abort(code, details, trailers)
