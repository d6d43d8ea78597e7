"""Takes up every call for a routed service and relays it."""

import asyncio
import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NoReturn

import grpc

from bankai import health
from bankai.errors import UnavailableError, UnsupportedError
from bankai.interceptors.base import Context, MethodHandler
from gateway import failures, relay
from gateway.backends import Backends
from gateway.kinds import MethodKinds
from gateway.metadata import Onward
from gateway.policy.permit import current_permit

# How long before the server's own end of the grace the streams that are left are told to go elsewhere.
_FAREWELL_S = 0.5


class Proxy(grpc.GenericRpcHandler):
    """The handler of all calls that are not the gateway's own.

    Args:
        backends: Where they go.
        kinds: Which of them are unary.
        onward: Makes their metadata.
    """

    def __init__(self, backends: Backends, kinds: MethodKinds, onward: Onward) -> None:
        self._backends = backends
        self._kinds = kinds
        self._onward = onward
        self._calls: set[asyncio.Timeout] = set()
        self._ends_at: float | None = None

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> MethodHandler | None:
        """Chooses how the call is relayed, by the path alone."""
        method: str = handler_call_details.method
        service = method[1:].rpartition("/")[0]
        channel = self._backends.by_service.get(service)
        if channel is None:
            return None if service == health.SERVICE_NAME else grpc.stream_stream_rpc_method_handler(_unknown)
        if self._kinds.is_unary(service, method):
            return grpc.unary_unary_rpc_method_handler(functools.partial(self._unary, channel, method))
        return grpc.stream_stream_rpc_method_handler(functools.partial(self._stream, channel, method))

    def end_calls(self, grace_s: float) -> None:
        """Ends what is left of the calls shortly before the grace is over, with SERVER_DRAINING.

        Args:
            grace_s: Seconds from now until the server cancels them without a reason.
        """
        self._ends_at = asyncio.get_running_loop().time() + max(grace_s - _FAREWELL_S, 0.0)
        for scope in self._calls:
            scope.reschedule(self._ends_at)

    async def _unary(self, channel: grpc.aio.Channel, method: str, request: bytes, context: Context) -> bytes:
        async with self._until_drained():
            return await relay.unary(channel, method, request, context, self._metadata(context, method))

    async def _stream(
        self, channel: grpc.aio.Channel, method: str, requests: AsyncIterator[bytes], context: Context
    ) -> None:
        async with self._until_drained():
            await relay.stream(channel, method, requests, context, self._metadata(context, method))

    def _metadata(self, context: Context, method: str) -> relay.Metadata:
        return self._onward.metadata(context.invocation_metadata() or (), current_permit(), method)

    @asynccontextmanager
    async def _until_drained(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout_at(self._ends_at) as scope:
                self._calls.add(scope)
                try:
                    yield
                finally:
                    self._calls.discard(scope)
        except TimeoutError as error:
            if not scope.expired():
                raise
            raise UnavailableError(
                "SERVER_DRAINING", "this gateway is going away; connect again", retry_after=failures.RETRY_AFTER_S
            ) from error


async def _unknown(_requests: Any, context: Context) -> NoReturn:  # noqa: ARG001  # as grpc calls it
    raise UnsupportedError("UNKNOWN_METHOD", "no such service here; see the routes by reflection")
