"""Learns from the backends what their methods are: unary or not, and whether a call may be repeated.

A proxy need not know: on the wire every call is a stream. But in Python a call relayed as two unary ones costs half of
one relayed message by message, as fewer events go through the loop; and only a unary call, whose request is at hand,
can be sent again. So methods are told apart once their descriptors are known, and until then everything is relayed as
streams. What is learned is kept: a method that changes its kind breaks its clients anyway.
"""

import asyncio
import time

import grpc
from google.protobuf.descriptor_pb2 import FileDescriptorProto, MethodDescriptorProto, MethodOptions
from google.protobuf.message import DecodeError

from gateway import failures
from gateway.reflection import ask, file_with_symbol
from gateway.routing.method import Method
from gateway.routing.table import RouteTable

_PAUSE_S = 30.0


class Methods:
    """What the methods are, learned in the background as services are reached and called.

    Args:
        table: Where to ask.
    """

    def __init__(self, table: RouteTable) -> None:
        self._table = table
        self._known: dict[str, Method] = {}
        self._asked_at: dict[str, float] = {}
        self._told_at: dict[str, float] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def of(self, service: str, path: str) -> Method:
        """What is known of a method by now.

        Args:
            service: Full name of a routed service.
            path: Full path of the method.
        """
        known = self._known.get(path)
        if known is None:
            self.learn(service)
            return Method(path)
        return known

    def learn(self, service: str) -> None:
        """Asks in the background, unless it was asked a moment ago.

        Args:
            service: Full name of a routed service.
        """
        if time.monotonic() - self._asked_at.get(service, -_PAUSE_S) >= _PAUSE_S:
            self._asking(service)

    def is_routed(self, service: str) -> bool:
        """Whether there is anybody to ask about the methods of a service."""
        return self._table.get(service) is not None

    def known(self, path: str) -> Method | None:
        """What is known of a method by now; None where that is nothing."""
        return self._known.get(path)

    async def learned(self, path: str) -> Method | None:
        """The same, once the service was asked where it has to be; None where it cannot be asked or knows no such one.

        Args:
            path: Full path, of any service.
        """
        service = path[1:].rpartition("/")[0]
        lately = time.monotonic() - self._told_at.get(service, -_PAUSE_S) < _PAUSE_S
        if path not in self._known and self.is_routed(service) and not lately:
            await asyncio.shield(self._asking(service))  # others may be waiting for it, too
        return self.known(path)

    async def close(self) -> None:
        """Stops learning."""
        tasks = [*self._tasks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _asking(self, service: str) -> asyncio.Task[None]:
        task = self._tasks.get(service)
        if task is None:
            self._asked_at[service] = time.monotonic()
            task = self._tasks[service] = asyncio.create_task(self._ask(service))
            task.add_done_callback(lambda _: self._tasks.pop(service))
        return task

    async def _ask(self, service: str) -> None:
        try:
            answer = await ask(self._table.by_service[service], file_with_symbol(service))
            files = [
                FileDescriptorProto.FromString(raw) for raw in answer.file_descriptor_response.file_descriptor_proto
            ]
        except (grpc.aio.AioRpcError, DecodeError, KeyError) as error:
            # A backend that is away, gone from the table or without reflection is served as streams.
            if isinstance(error, grpc.aio.AioRpcError) and failures.lost(error):
                del self._asked_at[service]  # it can tell as soon as it is reached
            return
        for file in files:
            for described in file.service:
                if f"{file.package}.{described.name}" == service:
                    self._told_at[service] = time.monotonic()
                    for method in described.method:
                        path = f"/{service}/{method.name}"
                        self._known[path] = _described(path, method)


def _described(path: str, method: MethodDescriptorProto) -> Method:
    level = method.options.idempotency_level
    return Method(
        path,
        unary=not (method.client_streaming or method.server_streaming),
        idempotent=level != MethodOptions.IDEMPOTENCY_UNKNOWN,
        without_effects=level == MethodOptions.NO_SIDE_EFFECTS,
    )
