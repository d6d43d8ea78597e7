"""Puts the gateway together."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import grpc

from bankai.background import beside
from bankai.errors import FaultError
from bankai.interceptors import default_interceptors
from bankai.server import GrpcServer
from bankai.vouching import Signer, read_private_key
from bankai.watched import Watched
from gateway.audit.interceptor import AdmissionInterceptor, AuditInterceptor
from gateway.audit.log import AuditLog, audit_log
from gateway.authn.access_tokens import TokenChecker
from gateway.authn.api_keys import KeyRing, read_keys
from gateway.authn.handover import Handover
from gateway.authn.interceptor import AuthenticationInterceptor
from gateway.authn.token_keys import TokenKeys, open_token_keys
from gateway.call_metrics import CallMetricsInterceptor
from gateway.console.keys import read_key
from gateway.console.sessions import Sessions
from gateway.console.site import Console
from gateway.http.port import http_port
from gateway.idempotency.interceptor import IdempotencyInterceptor
from gateway.idempotency.store import AnswerStore, answer_store
from gateway.metadata import Onward
from gateway.policy.interceptor import PolicyInterceptor
from gateway.policy.policies import Policies
from gateway.proxy import Proxy
from gateway.quota.interceptor import QuotaInterceptor
from gateway.quota.limiter import Limiter
from gateway.reflection import ReflectionHandler
from gateway.routing.channels import Channels
from gateway.routing.methods import Methods
from gateway.routing.reachability import follow
from gateway.routing.reload import reload
from gateway.routing.renewal import renew
from gateway.routing.table import RouteTable
from gateway.settings import GatewaySettings


@asynccontextmanager
async def gateway(settings: GatewaySettings) -> AsyncIterator[GrpcServer]:
    """Makes the gateway's server, to start and to drain within the context; its channels are closed at the end.

    Args:
        settings: Settings of the process.

    Yields:
        The server, not started yet.

    Raises:
        FaultError: AUDIT_UNUSABLE, or GATEWAY_FILE_INVALID where a file has become wrong since the settings were read.
    """
    async with AsyncExitStack() as stack:
        audit = await stack.enter_async_context(audit_log(settings.audit)) if settings.audit else None
        answers = await stack.enter_async_context(answer_store(settings.idempotency)) if settings.idempotency else None
        yield await stack.enter_async_context(_gateway(settings, audit, answers))


@asynccontextmanager
async def _gateway(
    settings: GatewaySettings, audit: AuditLog | None, answers: AnswerStore | None
) -> AsyncIterator[GrpcServer]:
    table = RouteTable(
        settings.route_table(),
        Channels(settings.backend, settings.server.max_message_bytes, settings.server.max_connection_age_grace_s),
    )
    methods = Methods(table)
    limiter, handover = Limiter(settings.quota), Handover()
    try:
        policies = Policies(settings.policy_file)
        token_keys = open_token_keys(settings.tokens) if settings.tokens else None
        proxy = Proxy(table, methods, Onward(_signer(settings)), settings.server.default_deadline_s)
        authentication = _authentication(settings, policies, handover, token_keys)
        console = _console(settings, authentication)
    except ValueError as error:
        raise FaultError("GATEWAY_FILE_INVALID", str(error)) from None
    server = GrpcServer(
        settings.server,
        name="gateway",
        interceptors=default_interceptors(
            settings.server,
            record_spans=bool(settings.telemetry.otlp_endpoint),
            default_deadline=False,  # the routes say it, method by method
            recording=(CallMetricsInterceptor(), *((AuditInterceptor(audit),) if audit else ())),
            own=(
                authentication,
                PolicyInterceptor(policies),
                QuotaInterceptor(limiter),
                AdmissionInterceptor(),
                IdempotencyInterceptor(answers, methods),
            ),
        ),
    )

    def register(grpc_server: grpc.aio.Server) -> None:
        # The proxy takes whatever reflection and health leave, so it comes after the former and knows the latter.
        grpc_server.add_generic_rpc_handlers((ReflectionHandler(table), proxy))

    async def end_calls() -> None:
        await server.draining.wait()
        proxy.end_calls(settings.server.drain_grace_s)

    background = [end_calls(), limiter.run(), follow(table, server, methods), renew(table)]
    if token_keys is not None:
        background.append(token_keys.follow())
    if settings.routes_file is not None:
        background.append(reload(settings.routes_file, settings.route_table, table.apply))
    server.add(register, ())
    server.add_elsewhere(table.by_service)
    try:
        async with beside(*background), http_port(settings.http, server, table, handover.metadata, console):
            yield server
    finally:
        await limiter.close()
        await methods.close()
        await table.close()


async def serve(settings: GatewaySettings) -> None:
    """Serves until SIGTERM or SIGINT, then drains.

    Raises:
        OSError: An address of the settings cannot be listened on.
    """
    async with gateway(settings) as server:
        await server.run()


def _authentication(
    settings: GatewaySettings, policies: Policies, handover: Handover, token_keys: TokenKeys | None
) -> AuthenticationInterceptor:
    file = settings.keys_file
    keys = None if file is None else Watched((file,), lambda: KeyRing(read_keys(file)))
    tokens = TokenChecker(settings.tokens, token_keys) if settings.tokens and token_keys else None
    return AuthenticationInterceptor(policies, handover, keys, tokens)


def _console(settings: GatewaySettings, authentication: AuthenticationInterceptor) -> Console | None:
    file = settings.console.key
    if file is None:
        return None
    tls = settings.server.tls.cert is not None
    return Console(Sessions(read_key(file), settings.console), authentication.by_secret, tls=tls)


def _signer(settings: GatewaySettings) -> Watched[Signer] | None:
    file = settings.vouching_key
    return None if file is None else Watched((file,), lambda: Signer(read_private_key(file)))
