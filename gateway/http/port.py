"""The HTTP port: a second way into the gateway, for those who speak JSON."""

import asyncio
import logging
import ssl
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from grpc_health.v1 import health_pb2, health_pb2_grpc

from bankai.background import beside
from bankai.channel import channel_options
from bankai.errors import BankaiError, NotFoundError, UnsupportedError
from bankai.server import GrpcServer
from gateway import failures
from gateway.console.site import Console
from gateway.http import errors
from gateway.http.bodies import Bodies
from gateway.http.descriptors import Descriptions
from gateway.http.headers import common
from gateway.http.methods import Methods, identity, told
from gateway.http.peer import HandOver
from gateway.http.settings import HttpSettings
from gateway.http.tls import server_context
from gateway.http.transcoding import Transcoder
from gateway.routing.table import RouteTable

log = structlog.get_logger(__name__)

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_KEEP_ALIVE_S = 75.0
_HEALTH_S = 2.0
# The server starts after this port has looked for it once: the next look shall not wait for grpc's second.
_RECONNECT = (("grpc.initial_reconnect_backoff_ms", 50), ("grpc.min_reconnect_backoff_ms", 50))
# How long answers may take to get out once the calls behind them have ended.
_LAST_WORDS_S = 2.0


class _NoClients(logging.Filter):
    """Drops what aiohttp logs of broken requests, which quotes them, credentials included."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


_aiohttp_log = logging.getLogger("gateway.http.aiohttp")
_aiohttp_log.addFilter(_NoClients())


@asynccontextmanager
async def http_port(
    settings: HttpSettings, server: GrpcServer, table: RouteTable, hand_over: HandOver, console: Console | None
) -> AsyncIterator[None]:
    """Serves JSON over HTTP within the context, from before the gRPC server starts until after it has stopped.

    Every call goes through that server, over a socket that only this user may open, so that it is let in, limited and
    logged as any other. Requests that come before it has started wait for it. When it drains, idle connections are
    closed and no new ones are taken.

    Args:
        settings: Where to listen; nowhere where that is empty.
        server: The gateway's gRPC server, not started yet.
        table: The services.
        hand_over: Hands clients' certificates over.
        console: The pages for people; None serves none.

    Raises:
        OSError: The address cannot be listened on, or a file of TLS cannot be used.
    """
    if not settings.listen:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="bankai-") as folder:
        target = f"unix:{Path(folder) / 'gateway'}"

        def listen(grpc_server: grpc.aio.Server) -> None:
            grpc_server.add_insecure_port(target)  # a second address of the same server

        server.add(listen, ())
        options = (
            *channel_options(
                max_message_bytes=server.settings.max_message_bytes, keepalive_s=server.settings.keepalive_s
            ),
            *_RECONNECT,
        )
        descriptions, transcoder = Descriptions(table), Transcoder()
        bodies = Bodies(transcoder, server.settings.max_message_bytes)
        async with grpc.aio.insecure_channel(target, options) as channel:
            started = asyncio.create_task(channel.channel_ready())
            methods = Methods(
                channel, started, descriptions, transcoder, bodies, hand_over, settings.heartbeat_s, console
            )
            try:
                async with (
                    server_context(server.settings.tls) as context,
                    _listening(settings.listen, server, methods, context),
                ):
                    yield
            finally:
                started.cancel()
                await asyncio.wait((started,))
                await descriptions.close()
                transcoder.close()


@asynccontextmanager
async def _listening(
    listen: str, server: GrpcServer, methods: Methods, context: ssl.SSLContext | None
) -> AsyncIterator[None]:
    runner = web.AppRunner(
        _application(server, methods, methods.console),
        access_log=None,
        auto_decompress=False,
        handler_cancellation=True,
        keepalive_timeout=_KEEP_ALIVE_S,
        logger=_aiohttp_log,
        shutdown_timeout=_LAST_WORDS_S,
    )
    await runner.setup()
    host, _, port = listen.rpartition(":")
    site = web.TCPSite(
        runner,
        host.strip("[]"),
        int(port),
        ssl_context=context,
        reuse_port=server.settings.reuse_port or None,
    )

    async def leave() -> None:
        await server.draining.wait()
        await site.stop()
        if runner.server is not None:  # always, once set up
            runner.server.pre_shutdown()
            await runner.server.shutdown(server.settings.drain_grace_s + _LAST_WORDS_S)

    try:
        await site.start()
        log.info("listening for HTTP", port=runner.addresses[0][1])
        async with beside(leave()):
            yield
    finally:
        await runner.cleanup()


def _application(server: GrpcServer, methods: Methods, console: Console | None) -> web.Application:
    tls = server.settings.tls.cert is not None

    @web.middleware
    async def outermost(request: web.Request, handler: _Handler) -> web.StreamResponse:
        try:
            response = await (refuse if server.draining.is_set() else handler)(request)
        except web.HTTPRedirection:
            raise
        except web.HTTPException as raised:
            failure = errors.failure(_of_the_router(raised), identity(request))
            failure.headers.extend((name, value) for name, value in raised.headers.items() if name == "Allow")
            response = told(failure)
        except ConnectionError:  # the client is gone
            raise
        except Exception as raised:  # noqa: BLE001  # whatever it is, the client gets an answer
            response = told(errors.failure(raised, identity(request)))
        if server.draining.is_set():
            response.force_close()
        return response

    async def refuse(_request: web.Request) -> web.StreamResponse:
        raise failures.draining()

    async def complete(request: web.Request, response: web.StreamResponse) -> None:
        kept = response.headers.get("Cache-Control")  # as the console's files say
        response.headers.update(common(identity(request), tls=tls))
        response.headers["Cache-Control"] = kept or response.headers["Cache-Control"]

    application = web.Application(middlewares=[outermost])
    application.on_response_prepare.append(complete)
    application.router.add_post("/v1/{service}/{method}", methods.answer)
    application.router.add_get("/openapi.json", methods.openapi)
    if console is not None:
        console.add_to(application)
    application.router.add_get("/healthz", _alive)
    application.router.add_get("/readyz", _ready(methods.channel))
    return application


def _of_the_router(raised: web.HTTPException) -> BankaiError:
    if isinstance(raised, web.HTTPMethodNotAllowed):
        return UnsupportedError("HTTP_METHOD_NOT_ALLOWED", "this path takes another HTTP method; see Allow")
    return NotFoundError("METHOD_NOT_FOUND", "nothing is here; methods are at /v1/{full name of the service}/{method}")


async def _alive(_request: web.Request) -> web.Response:
    return web.json_response({"status": "ALIVE"})


def _ready(channel: grpc.aio.Channel) -> _Handler:
    """Says what the gRPC health service says of the process as a whole."""
    stub: Any = health_pb2_grpc.HealthStub(channel)

    async def ready(_request: web.Request) -> web.Response:
        try:
            answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=_HEALTH_S)
            serving = answer.status == health_pb2.HealthCheckResponse.SERVING
        except grpc.aio.AioRpcError:
            serving = False
        return web.json_response({"status": "SERVING" if serving else "NOT_SERVING"}, status=200 if serving else 503)

    return ready
