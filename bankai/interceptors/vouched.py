"""Takes only calls that the gateway vouches for."""

from collections.abc import Iterator
from contextlib import contextmanager

from structlog.contextvars import bind_contextvars

from bankai import vouching
from bankai.interceptors.base import CallInfo, Context, SyncInterceptor
from bankai.vouching import Verifier, Vouch
from bankai.watched import Watched

CHANNEL_HEADER = "x-bankai-channel"
"""Metadata in which the gateway names the channel; proves nothing."""

# The kubelet and the gateway's balancer ask for health, the gateway for descriptors; neither tells of customers.
_OPEN = ("/grpc.health.", "/grpc.reflection.")


class VouchedInterceptor(SyncInterceptor):
    """Checks the gateway's token, and sets `bankai.vouching.current()`.

    Args:
        verifier: Knows the gateway's keys; None takes calls from everybody, as on a developer's machine, and believes
            the channel that they name.
    """

    def __init__(self, verifier: Watched[Verifier] | None) -> None:
        self._verifier = verifier

    @contextmanager
    def around(self, call: CallInfo, context: Context) -> Iterator[None]:  # noqa: ARG002  # part of the protocol
        """Raises UnauthenticatedError (NOT_VOUCHED)."""
        if not call.method.startswith(_OPEN):
            if self._verifier is None:
                vouch = Vouch(call.header(CHANNEL_HEADER) or "", reads=None)
            else:
                vouch = self._verifier.current.check(call.header(vouching.HEADER), call.method)
            vouching.enter(vouch)
            bind_contextvars(channel=vouch.channel)
        yield
