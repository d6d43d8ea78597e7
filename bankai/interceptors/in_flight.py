"""Knows which handlers are still running, which grpc.aio forgets as soon as their status is sent."""

from contextlib import AbstractContextManager

from bankai.interceptors.base import CallInfo, Context, SyncInterceptor
from bankai.occupancy import Occupancy


class InFlightInterceptor(SyncInterceptor):
    """Counts running handlers. Belongs first in the chain, so that everything around a handler is done when it is."""

    def __init__(self) -> None:
        self.handlers = Occupancy()

    def around(self, call: CallInfo, context: Context) -> AbstractContextManager[None]:  # noqa: ARG002  # part of the protocol
        """Counts the handler while it runs, clean-up after its answer included."""
        return self.handlers.entered()
