"""Puts the gateway together."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import grpc

from bankai.background import beside
from bankai.interceptors import default_interceptors
from bankai.server import GrpcServer
from gateway.audit.interceptor import AdmissionInterceptor, AuditInterceptor
from gateway.audit.log import AuditLog, audit_log
from gateway.authn.api_keys import KeyRing, read_keys
from gateway.authn.interceptor import ApiKeyInterceptor
from gateway.backends import Backends
from gateway.idempotency.interceptor import IdempotencyInterceptor
from gateway.idempotency.store import AnswerStore, answer_store
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

    Raises:
        FaultError: AUDIT_UNUSABLE.
    """
    async with AsyncExitStack() as stack:
        audit = await stack.enter_async_context(audit_log(settings.audit)) if settings.audit else None
        answers = await stack.enter_async_context(answer_store(settings.idempotency)) if settings.idempotency else None
        yield await stack.enter_async_context(_gateway(settings, audit, answers))


@asynccontextmanager
async def _gateway(
    settings: GatewaySettings, audit: AuditLog | None, answers: AnswerStore | None
) -> AsyncIterator[GrpcServer]:
    backends = Backends(settings.route_table(), settings.backend, settings.server.max_message_bytes)
    kinds = MethodKinds(backends)
    proxy = Proxy(backends, kinds)
    keys = ApiKeyInterceptor(KeyRing(read_keys(settings.keys_file)))
    server = GrpcServer(
        settings.server,
        name="gateway",
        interceptors=default_interceptors(
            settings.server,
            record_spans=bool(settings.telemetry.otlp_endpoint),
            recording=(AuditInterceptor(audit),) if audit else (),
            own=(keys, AdmissionInterceptor(), IdempotencyInterceptor(answers, kinds)),
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
        async with beside(end_calls(), *map(follow, backends.by_service)):
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
