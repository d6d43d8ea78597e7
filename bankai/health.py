"""The standard gRPC health service, per service, that lets go of its watchers when the server drains.

The library's own keeps every Watch open, which holds a drain until its grace is over, and forgets the other watchers of
a service when one of them leaves.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client import Gauge

from bankai.errors import NotFoundError
from bankai.interceptors.base import Context

SERVICE_NAME = "grpc.health.v1.Health"
Response = health_pb2.HealthCheckResponse

_SERVING = Gauge(
    "bankai_serving", "1 while this process says that a service is serving, 0 while it is not.", ("grpc_service",)
)


class HealthServicer(health_pb2_grpc.HealthServicer):
    """Answers whether a service is serving. The empty name stands for the process."""

    def __init__(self) -> None:
        self._status: dict[str, int] = {"": Response.NOT_SERVING}
        self._changed = asyncio.Condition()
        self._draining = False

    def add(self, services: Iterable[str]) -> None:
        """Adds services by their full names; each is NOT_SERVING at first."""
        for service in services:
            self._note(service, serving=False)

    @property
    def services(self) -> Sequence[str]:
        """Names of all that can be asked for, the empty one first."""
        return list(self._status)

    async def set(self, service: str, *, serving: bool) -> None:
        """Says whether a service is serving; without effect once draining."""
        if service not in self._status:
            raise KeyError(service)
        if not self._draining:
            self._note(service, serving=serving)
            async with self._changed:
                self._changed.notify_all()

    async def forget(self, service: str) -> None:
        """Says NOT_SERVING of a service that is gone for good, and takes it out of the metrics."""
        await self.set(service, serving=False)
        _SERVING.remove(service)

    async def drain(self) -> None:
        """Says NOT_SERVING for everything from now on and ends every Watch."""
        self._draining = True
        for service in self._status:
            self._note(service, serving=False)
        async with self._changed:
            self._changed.notify_all()

    async def Check(self, request: health_pb2.HealthCheckRequest, context: Context) -> Response:  # noqa: ARG002, N802  # as generated
        """Answers the current status."""
        if request.service not in self._status:
            raise NotFoundError("SERVICE_NOT_FOUND", "this server has no such service")
        return Response(status=self._of(request.service))

    async def Watch(self, request: health_pb2.HealthCheckRequest, context: Context) -> AsyncIterator[Response]:  # noqa: ARG002, N802  # as generated
        """Answers the current status and every change of it."""
        told: Any = None
        while True:
            async with self._changed:
                while (status := self._of(request.service)) == told and not self._draining:
                    await self._changed.wait()
            if status == told:
                return
            told = status
            yield Response(status=status)

    def _note(self, service: str, *, serving: bool) -> None:
        self._status[service] = Response.SERVING if serving else Response.NOT_SERVING
        if service:  # that the process as a whole is there, Prometheus sees by itself
            _SERVING.labels(service).set(serving)

    def _of(self, service: str) -> Any:
        return self._status.get(service, Response.SERVICE_UNKNOWN)
