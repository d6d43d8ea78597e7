"""Puts the gateway together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc

from bankai.background import beside
from bankai.interceptors import default_interceptors
from bankai.server import GrpcServer
from gateway.authn.api_keys import KeyRing, read_keys
from gateway.authn.interceptor import ApiKeyInterceptor
from gateway.proxy import Proxy
from gateway.reflection import ReflectionHandler
from gateway.routing.channels import Channels
from gateway.routing.methods import Methods
from gateway.routing.reachability import follow
from gateway.routing.reload import reload
from gateway.routing.table import RouteTable
from gateway.settings import GatewaySettings


@asynccontextmanager
async def gateway(settings: GatewaySettings) -> AsyncIterator[GrpcServer]:
    """Makes the gateway's server, to start and to drain within the context; its channels are closed at the end.

    Args:
        settings: Settings of the process.

    Yields:
        The server, not started yet.
    """
    table = RouteTable(
        settings.route_table(),
        Channels(settings.backend, settings.server.max_message_bytes, settings.server.max_connection_age_grace_s),
    )
    methods = Methods(table)
    proxy = Proxy(table, methods, settings.server.default_deadline_s)
    keys = ApiKeyInterceptor(KeyRing(read_keys(settings.keys_file)))
    server = GrpcServer(
        settings.server,
        name="gateway",
        interceptors=default_interceptors(
            settings.server,
            record_spans=bool(settings.telemetry.otlp_endpoint),
            default_deadline=False,  # the routes say it, method by method
            own=(keys,),
        ),
    )

    def register(grpc_server: grpc.aio.Server) -> None:
        # The proxy takes whatever reflection and health leave, so it comes after the former and knows the latter.
        grpc_server.add_generic_rpc_handlers((ReflectionHandler(table), proxy))

    async def end_calls() -> None:
        await server.draining.wait()
        proxy.end_calls(settings.server.drain_grace_s)

    background = [end_calls(), follow(table, server, methods)]
    if settings.routes_file is not None:
        background.append(reload(settings.routes_file, settings.route_table, table.apply))
    server.add(register, ())
    server.add_elsewhere(table.by_service)
    try:
        async with beside(*background):
            yield server
    finally:
        await methods.close()
        await table.close()


async def serve(settings: GatewaySettings) -> None:
    """Serves until SIGTERM or SIGINT, then drains.

    Raises:
        OSError: An address of the settings cannot be listened on.
    """
    async with gateway(settings) as server:
        await server.run()
