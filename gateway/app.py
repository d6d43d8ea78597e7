"""Puts the gateway together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc

from bankai.background import beside
from bankai.interceptors import default_interceptors
from bankai.server import GrpcServer
from gateway.authn.api_keys import KeyRing, read_keys
from gateway.authn.interceptor import ApiKeyInterceptor
from gateway.backends import Backends
from gateway.http.port import http_port
from gateway.kinds import MethodKinds
from gateway.proxy import Proxy
from gateway.reflection import ReflectionHandler
from gateway.settings import GatewaySettings


@asynccontextmanager
async def gateway(settings: GatewaySettings) -> AsyncIterator[GrpcServer]:
    """Makes the gateway's server, to start and to drain within the context; its channels are closed at the end.

    Args:
        settings: Settings of the process.

    Yields:
        The server, not started yet.
    """
    backends = Backends(settings.route_table(), settings.backend, settings.server.max_message_bytes)
    kinds = MethodKinds(backends)
    proxy = Proxy(backends, kinds)
    keys = ApiKeyInterceptor(KeyRing(read_keys(settings.keys_file)))
    server = GrpcServer(
        settings.server,
        name="gateway",
        interceptors=default_interceptors(
            settings.server, record_spans=bool(settings.telemetry.otlp_endpoint), own=(keys,)
        ),
    )

    def register(grpc_server: grpc.aio.Server) -> None:
        # The proxy takes whatever reflection and health leave, so it comes after the former and knows the latter.
        grpc_server.add_generic_rpc_handlers((ReflectionHandler(backends), proxy))

    async def end_calls() -> None:
        await server.draining.wait()
        proxy.end_calls(settings.server.drain_grace_s)

    async def follow(service: str) -> None:
        async for reachable in backends.reachable(service):
            await server.set_serving(service, serving=reachable)

    server.add(register, ())
    server.add_elsewhere(backends.by_service)
    try:
        async with (
            beside(end_calls(), *map(follow, backends.by_service)),
            http_port(settings.http, server, backends),
        ):
            yield server
    finally:
        await kinds.close()
        await backends.close()


async def serve(settings: GatewaySettings) -> None:
    """Serves until SIGTERM or SIGINT, then drains.

    Raises:
        OSError: An address of the settings cannot be listened on.
    """
    async with gateway(settings) as server:
        await server.run()
