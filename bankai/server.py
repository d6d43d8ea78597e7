"""The gRPC server that every process stands on."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any

import grpc
import structlog
import uvloop
from grpc_health.v1 import health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from bankai import health
from bankai.interceptors import default_interceptors
from bankai.interceptors.base import BaseInterceptor, Chain
from bankai.interceptors.in_flight import InFlightInterceptor
from bankai.settings import ServerSettings
from bankai.telemetry import metrics_endpoint
from bankai.tls import server_credentials

log = structlog.get_logger(__name__)

_PING_TIMEOUT_S = 10.0
# Clients that ping more often are cut off with too_many_pings; the library's own is five minutes. A gateway pings every
# few seconds, to find a pod that has stopped.
_MIN_PING_GAP_S = 2.0
_NOTICE_S = 0.5
_CLEAN_UP_S = 2.0


class GrpcServer:
    """A grpc.aio server with health, reflection, keepalive, limits, metrics endpoint and graceful drain.

    Args:
        settings: How it listens and what it allows.
        name: Name of the process, for the logs.
        interceptors: The chain, outermost first; `default_interceptors(settings)` where None.
    """

    def __init__(
        self, settings: ServerSettings, *, name: str, interceptors: Sequence[BaseInterceptor] | None = None
    ) -> None:
        self.settings = settings
        self.name = name
        self.draining = asyncio.Event()
        """Set when the server is about to stop: streams should tell their clients to reconnect, and end."""
        self.port = 0
        """The port of the gRPC server once started."""
        self.metrics_port = 0
        """The port of the metrics endpoint once started; 0 where it is off."""
        self._leaving = False
        self._in_flight = InFlightInterceptor()
        chain = default_interceptors(settings) if interceptors is None else interceptors
        self._interceptors = Chain([self._in_flight, *chain])
        self._registrations: list[Callable[[grpc.aio.Server], None]] = []
        self._services: list[str] = []
        self._health = health.HealthServicer()
        self._resources = contextlib.ExitStack()

    def add(self, register: Callable[[grpc.aio.Server], None], service_names: Sequence[str]) -> None:
        """Adds services before the start.

        Args:
            register: Adds their handlers to the server, e.g. through the generated add_..._to_server.
            service_names: Full names of the services, for health and reflection; without any there is no reflection.
        """
        self._registrations.append(register)
        self._services.extend(service_names)
        self._health.add(service_names)

    def add_elsewhere(self, service_names: Iterable[str]) -> None:
        """Adds services that run elsewhere: clients may ask for their health, which `set_serving` alone decides.

        Args:
            service_names: Their full names.
        """
        self._health.add(service_names)

    async def start(self) -> int:
        """Starts serving.

        Returns:
            The port of the gRPC server.

        Raises:
            OSError: An address of the settings cannot be listened on.
        """
        self._server = grpc.aio.server(interceptors=(self._interceptors,), options=_options(self.settings))
        for register in self._registrations:
            register(self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        if self._services:  # a process without services of its own may describe others itself
            names = (*self._services, health.SERVICE_NAME, reflection.SERVICE_NAME)
            reflection.enable_server_reflection(names, self._server)
        self.port = _bind(self._server, self.settings)
        self.metrics_port = self._resources.enter_context(metrics_endpoint(self.settings.metrics_listen))
        await self._server.start()
        for service in ("", *self._services):
            await self._health.set(service, serving=True)
        log.info("listening", name=self.name, port=self.port, metrics_port=self.metrics_port)
        return self.port

    async def set_serving(self, service: str, *, serving: bool) -> None:
        """Sets the health of a service, e.g. while its model cannot answer; the empty name stands for the process."""
        await self._health.set(service, serving=serving and not self._leaving)

    async def forget(self, service: str) -> None:
        """Says of a service that was added elsewhere that it is gone for good."""
        await self._health.forget(service)

    async def drain(self) -> None:
        """Stops gracefully: health says NOT_SERVING, then `draining` is set and new calls are refused.

        Calls in flight may go on for the settings' drain_grace_s before they are cancelled.
        """
        log.info("draining", name=self.name, grace_s=self.settings.drain_grace_s)
        self._leaving = True
        for service in self._health.services:
            await self._health.set(service, serving=False)
        # When grpc stops, it cancels the calls that are on their way: clients that watch the health look away first.
        await asyncio.sleep(min(_NOTICE_S, self.settings.drain_grace_s))
        self.draining.set()
        await self._health.drain()
        await self._stop(self.settings.drain_grace_s)

    async def stop_now(self) -> None:
        """Stops at once: calls in flight are cancelled. Ends a drain that is under way, too."""
        self.draining.set()
        await self._stop(None)

    async def _stop(self, grace_s: float | None) -> None:
        await self._server.stop(grace_s)
        # grpc waits for the answers, not for what handlers do after theirs.
        await self._in_flight.handlers.emptied(_CLEAN_UP_S)
        self._resources.close()
        log.info("stopped", name=self.name)

    async def run(self) -> None:
        """Serves until SIGTERM or SIGINT, then drains; a second signal stops at once."""
        signals: asyncio.Queue[int] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, signals.put_nowait, number)
        try:
            await self.start()
            await signals.get()
            drain = asyncio.create_task(self.drain())
            second = asyncio.create_task(signals.get())
            await asyncio.wait((drain, second), return_when=asyncio.FIRST_COMPLETED)
            second.cancel()
            if not drain.done():
                log.warning("stopping at once", name=self.name)
                await self.stop_now()
            await drain
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)


def run(main: Coroutine[Any, Any, None]) -> None:
    """Runs a process's main coroutine on uvloop. One loop per process: grpc.aio bears no second one."""
    uvloop.run(main)


def _options(settings: ServerSettings) -> list[tuple[str, int]]:
    keepalive_ms = round(settings.keepalive_s * 1000)
    return [
        ("grpc.max_receive_message_length", settings.max_message_bytes),
        ("grpc.max_send_message_length", settings.max_message_bytes),
        ("grpc.max_connection_age_ms", round(settings.max_connection_age_s * 1000)),
        ("grpc.max_connection_age_grace_ms", round(settings.max_connection_age_grace_s * 1000)),
        ("grpc.keepalive_time_ms", keepalive_ms),
        ("grpc.keepalive_timeout_ms", round(_PING_TIMEOUT_S * 1000)),
        ("grpc.http2.ping_timeout_ms", round(_PING_TIMEOUT_S * 1000)),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.http2.min_ping_interval_without_data_ms", min(round(_MIN_PING_GAP_S * 1000), keepalive_ms // 3)),
        ("grpc.so_reuseport", int(settings.reuse_port)),
    ]


def _bind(server: grpc.aio.Server, settings: ServerSettings) -> int:
    try:
        credentials = server_credentials(settings.tls)
        if credentials is None:
            return server.add_insecure_port(settings.listen)
        return server.add_secure_port(settings.listen, credentials)
    except ValueError as error:
        raise OSError(f"cannot serve TLS: {error}") from None
    except RuntimeError as error:
        raise OSError(f"cannot listen on {settings.listen}") from error
