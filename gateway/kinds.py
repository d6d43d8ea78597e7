"""Learns from the backends which methods are unary.

A proxy need not know: on the wire every call is a stream. But in Python a call relayed as two unary ones costs half of
one relayed message by message, as fewer events go through the loop. So unary methods are told apart once their
descriptors are known, and everything else is relayed as streams. What is learned is kept: a method that changes its
kind breaks its clients anyway.
"""

import asyncio
import time

import grpc
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.message import DecodeError

from gateway.backends import Backends
from gateway.reflection import ask, file_with_symbol

_PAUSE_S = 30.0


class MethodKinds:
    """Which methods are unary, learned in the background as services are called.

    Args:
        backends: Where to ask.
    """

    def __init__(self, backends: Backends) -> None:
        self._backends = backends
        self._unary: dict[str, bool] = {}
        self._asked_at: dict[str, float] = {}
        self._told_at: dict[str, float] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def is_unary(self, service: str, method: str) -> bool:
        """Whether the method is known to be unary.

        Args:
            service: Full name of a routed service.
            method: Full path, e.g. "/bankai.intent.v1.IntentService/Classify".
        """
        unary = self._unary.get(method)
        if unary is None and time.monotonic() - self._asked_at.get(service, -_PAUSE_S) >= _PAUSE_S:
            self._learning(service)
        return bool(unary)

    def is_routed(self, service: str) -> bool:
        """Whether there is anybody to ask about the methods of a service."""
        return service in self._backends.by_service

    def known(self, method: str) -> bool | None:
        """Whether the method is unary; None while that is not known."""
        return self._unary.get(method)

    async def learned(self, method: str) -> bool | None:
        """The same, once the service was asked where it has to be; None where it cannot be asked or knows no such one.

        Args:
            method: Full path, of any service.
        """
        service = method[1:].rpartition("/")[0]
        lately = time.monotonic() - self._told_at.get(service, -_PAUSE_S) < _PAUSE_S
        if method not in self._unary and self.is_routed(service) and not lately:
            await asyncio.shield(self._learning(service))  # others may be waiting for it, too
        return self.known(method)

    async def close(self) -> None:
        """Stops learning."""
        tasks = [*self._tasks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _learning(self, service: str) -> asyncio.Task[None]:
        task = self._tasks.get(service)
        if task is None:
            self._asked_at[service] = time.monotonic()
            task = self._tasks[service] = asyncio.create_task(self._learn(service))
            task.add_done_callback(lambda _: self._tasks.pop(service))
        return task

    async def _learn(self, service: str) -> None:
        try:
            answer = await ask(self._backends.by_service[service], file_with_symbol(service))
            files = [
                FileDescriptorProto.FromString(raw) for raw in answer.file_descriptor_response.file_descriptor_proto
            ]
        except (grpc.aio.AioRpcError, DecodeError):
            return  # a backend that is away or has no reflection is served as streams
        for file in files:
            for described in file.service:
                if f"{file.package}.{described.name}" == service:
                    self._told_at[service] = time.monotonic()
                    for method in described.method:
                        self._unary[f"/{service}/{method.name}"] = not (
                            method.client_streaming or method.server_streaming
                        )
