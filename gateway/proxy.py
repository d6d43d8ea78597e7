"""Takes up every call for a routed service and relays it."""

import asyncio
import functools
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NoReturn

import grpc

from bankai import health
from bankai.errors import DeadlineError, UnsupportedError
from bankai.interceptors import request_id
from bankai.interceptors.base import Context, MethodHandler
from bankai.interceptors.deadline import remaining, shorten
from gateway import failures, relay
from gateway.metadata import RELEASE_TRAILER, Onward, release_key
from gateway.policy.permit import current_permit
from gateway.routing.attempts import Request
from gateway.routing.backend import Backend
from gateway.routing.method import Method
from gateway.routing.methods import Methods
from gateway.routing.model import MethodRules
from gateway.routing.service import Service
from gateway.routing.table import RouteTable

MAX_UNARY_S = 60.0
"""Latest deadline of a unary call where the route says none."""

# The backend's call ends at the deadline by itself; what is left of the client's a moment later is ended here.
_DEADLINE_SLACK_S = 0.5
# How long before the server's own end of the grace the streams that are left are told to go elsewhere.
_FAREWELL_S = 0.5


class Proxy(grpc.GenericRpcHandler):
    """The handler of all calls that are not the gateway's own.

    Args:
        table: Where they go.
        methods: What their methods are.
        onward: Makes their metadata.
        default_deadline_s: Deadline of a unary call that came without one and whose route says none.
    """

    def __init__(self, table: RouteTable, methods: Methods, onward: Onward, default_deadline_s: float) -> None:
        self._table = table
        self._methods = methods
        self._onward = onward
        self._default_deadline_s = default_deadline_s
        self._calls: set[asyncio.Timeout] = set()
        self._ends_at: float | None = None

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> MethodHandler | None:
        """Chooses how the call is relayed, by the path alone."""
        path: str = handler_call_details.method
        name = path[1:].rpartition("/")[0]
        service = self._table.get(name)
        if service is None:
            return None if name == health.SERVICE_NAME else grpc.stream_stream_rpc_method_handler(_unknown)
        method = self._methods.of(name, path)
        if method.unary:
            return grpc.unary_unary_rpc_method_handler(functools.partial(self._unary, service, method))
        return grpc.stream_stream_rpc_method_handler(functools.partial(self._stream, service, method))

    def end_calls(self, grace_s: float) -> None:
        """Ends what is left of the calls shortly before the grace is over, with SERVER_DRAINING.

        Args:
            grace_s: Seconds from now until the server cancels them without a reason.
        """
        self._ends_at = asyncio.get_running_loop().time() + max(grace_s - _FAREWELL_S, 0.0)
        for scope in self._calls:
            scope.reschedule(_earlier(scope.when(), self._ends_at))

    async def _unary(self, service: Service, method: Method, message: bytes, context: Context) -> bytes:
        rules = service.rules(method.name)
        _limit_deadline(rules.deadline_s or self._default_deadline_s, rules.max_deadline_s or MAX_UNARY_S)
        async with self._until_drained():
            backend, request = self._taken_up(service, method, rules, context, message)
            with backend.calls.entered(current_permit().priority):
                if service.shadow is not None:
                    service.shadow.copy(request)
                return await relay.unary(backend, request, context)

    async def _stream(self, service: Service, method: Method, requests: AsyncIterator[bytes], context: Context) -> None:
        rules = service.rules(method.name)
        _limit_deadline(rules.max_deadline_s, rules.max_deadline_s)
        async with self._until_drained(rules.max_deadline_s):
            backend, request = self._taken_up(service, method, rules, context)
            with backend.streams.entered(current_permit().priority):
                await relay.stream(backend, request, requests, context)

    def _taken_up(
        self, service: Service, method: Method, rules: MethodRules, context: Context, message: bytes = b""
    ) -> tuple[Backend, Request]:
        """Chooses the release for a call, and says so in its trailers, also where it ends with an error."""
        permit, sent = current_permit(), context.invocation_metadata() or ()
        choice = service.choose(permit.channel, release_key(sent) or request_id.current())
        trailer = (RELEASE_TRAILER, choice.backend.release)
        context.set_trailing_metadata((*(context.trailing_metadata() or ()), trailer))
        onward = self._onward.metadata(sent, permit, method.path)
        return choice.backend, Request(method, message, onward, choice.weighed, rules.hedge_after_s)

    @asynccontextmanager
    async def _until_drained(self, longest_s: float | None = None) -> AsyncIterator[None]:
        """Ends a call when the gateway goes, or after so long where it is held by a client that does not read."""
        clock = asyncio.get_running_loop().time
        latest = None if longest_s is None else clock() + longest_s + _DEADLINE_SLACK_S
        try:
            async with asyncio.timeout_at(_earlier(latest, self._ends_at)) as scope:
                self._calls.add(scope)
                try:
                    yield
                finally:
                    self._calls.discard(scope)
        except TimeoutError as error:
            if not scope.expired():
                raise
            if scope.when() == latest:
                raise DeadlineError(
                    "DEADLINE_EXCEEDED", f"the call went on for {longest_s:g} s, the limit of this method"
                ) from error
            raise failures.draining() from error


def _earlier(one: float | None, other: float | None) -> float | None:
    return other if one is None else one if other is None else min(one, other)


def _limit_deadline(default_s: float | None, longest_s: float | None) -> None:
    """Gives the current call the deadline that its rules allow, which is the client's own where that is earlier."""
    limit = default_s if math.isinf(remaining()) else longest_s
    if limit is not None:
        shorten(limit)


async def _unknown(_requests: Any, context: Context) -> NoReturn:  # noqa: ARG001  # as grpc calls it
    raise UnsupportedError("UNKNOWN_METHOD", "no such service here; see the routes by reflection")
