"""What the services behind the gateway say of their methods and messages, by server reflection."""

import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import grpc
import structlog
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest

from bankai.errors import BankaiError, NotFoundError, UnsupportedError
from gateway import failures
from gateway.reflection import ask, file_with_symbol
from gateway.routing.table import RouteTable

log = structlog.get_logger(__name__)

_FRESH_S = 60.0
# How soon a backend is asked again about a method that it did not have, and after it could not be asked.
_MISS_S = 5.0
_RETRY_S = 1.0
# Types that stand in google.protobuf.Any wherever errors are told in messages.
_ALWAYS_KNOWN = (any_pb2, duration_pb2, error_details_pb2)


@dataclass(frozen=True, slots=True)
class Method:
    """One rpc.

    Attributes:
        descriptor: What its service says of it.
        request: Class of its request messages.
        response: Class of its response messages.
        pool: All types that its backend knows.
    """

    descriptor: MethodDescriptor
    request: type[Message]
    response: type[Message]
    pool: DescriptorPool

    @property
    def path(self) -> str:
        """Full path, e.g. "/bankai.intent.v1.IntentService/Classify"."""
        return f"/{self.descriptor.containing_service.full_name}/{self.descriptor.name}"

    @property
    def request_streaming(self) -> bool:
        """Whether the client sends a stream."""
        return bool(self.descriptor.client_streaming)

    @property
    def response_streaming(self) -> bool:
        """Whether the server sends a stream."""
        return bool(self.descriptor.server_streaming)


@dataclass(frozen=True)
class Description:
    """What one backend says of its services.

    Attributes:
        files: The files that describe them, what they depend on first.
        methods: Methods by service and name.
    """

    files: Sequence[FileDescriptorProto]
    methods: Mapping[str, Mapping[str, Method]]


@dataclass
class _Backend:
    """What is known of a backend; services of one target share it, as types of one are in answers of another."""

    channel: grpc.aio.Channel
    services: Sequence[str]
    description: Description | None = None
    problem: Callable[[], BankaiError] = failures.unavailable
    asked_at: float = -math.inf
    asking: asyncio.Task[None] | None = None


class Descriptions:
    """Learns them when they are first needed, and anew as they grow old.

    Args:
        table: Where to ask.
    """

    def __init__(self, table: RouteTable) -> None:
        self._table = table
        self._backends: dict[grpc.aio.Channel, _Backend] = {}

    async def method(self, service: str, name: str) -> Method:
        """Finds a method of a routed service.

        Raises:
            NotFoundError: METHOD_NOT_FOUND.
            UnavailableError: BACKEND_UNAVAILABLE: the service is not known yet and cannot be asked now.
            UnsupportedError: SERVICE_NOT_DESCRIBED.
        """
        backend = self._backend(service)
        if backend is None:
            raise _not_found()
        description = await self._described(backend)
        found = description.methods.get(service, {}).get(name)
        if found is None and time.monotonic() - backend.asked_at > _MISS_S:
            await self._ask(backend)
            description = backend.description or description
            found = description.methods.get(service, {}).get(name)
        if found is None:
            raise _not_found()
        return found

    async def of(self, services: Sequence[str]) -> Sequence[Description]:
        """What the backends of some services say; those that cannot be asked are left out."""
        found = []
        for backend in {id(backend): backend for name in services if (backend := self._backend(name))}.values():
            try:
                found.append(await self._described(backend))
            except BankaiError:
                log.warning("a service is not described", services=backend.services)
        return found

    async def close(self) -> None:
        """Stops asking."""
        tasks = {backend.asking for backend in self._backends.values() if backend.asking}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _backend(self, service: str) -> _Backend | None:
        """The backend of a service as the route table has it now."""
        by_service = self._table.by_service
        channel = by_service.get(service)
        if channel is None:
            return None
        names = tuple(name for name, other in by_service.items() if other is channel)
        found = self._backends.get(channel)
        if found is None or found.services != names:
            in_use = set(by_service.values())
            self._backends = {other: known for other, known in self._backends.items() if other in in_use}
            found = self._backends[channel] = _Backend(channel, names)
        return found

    async def _described(self, backend: _Backend) -> Description:
        age = time.monotonic() - backend.asked_at
        asking = backend.asking is not None and not backend.asking.done()
        if age > _FRESH_S or (backend.description is None and (asking or age > _RETRY_S)):
            await self._ask(backend)
        if backend.description is None:
            raise backend.problem()
        return backend.description

    async def _ask(self, backend: _Backend) -> None:
        if backend.asking is None or backend.asking.done():
            backend.asked_at = time.monotonic()
            backend.asking = asyncio.create_task(_learn(backend))
        # Others may wait for the same answer: a client that goes does not end the question.
        await asyncio.shield(backend.asking)


def describe(files: Sequence[FileDescriptorProto], services: Sequence[str]) -> Description:
    """Makes a description of a backend's files.

    Args:
        files: The files, what they depend on first.
        services: Full names of the services that are routed to it.

    Raises:
        TypeError: The files do not fit together.
    """
    pool = DescriptorPool()
    for file in files:
        pool.Add(file)
    for module in _ALWAYS_KNOWN:
        with contextlib.suppress(TypeError):  # the backend has a copy of its own
            pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
    methods: dict[str, dict[str, Method]] = {}
    for name in services:
        try:
            service: Any = pool.FindServiceByName(name)
        except KeyError:  # routed here, but this backend does not have it
            continue
        methods[name] = {
            method.name: Method(method, GetMessageClass(method.input_type), GetMessageClass(method.output_type), pool)
            for method in service.methods
        }
    return Description(files, methods)


async def _learn(backend: _Backend) -> None:
    """Asks; what was known before stays where the backend cannot be asked."""
    try:
        files = await _files(backend)
        if backend.description is None or files != backend.description.files:
            backend.description = describe(files, backend.services)
    except grpc.aio.AioRpcError as error:
        away = error.code() is not grpc.StatusCode.UNIMPLEMENTED
        backend.problem = failures.unavailable if away else _not_described
    except (DecodeError, LookupError, TypeError) as error:
        log.error("a service's descriptors are not sound", services=backend.services, problem=type(error).__name__)  # noqa: TRY400  # needs no traceback
        backend.problem = _not_described


async def _files(backend: _Backend) -> list[FileDescriptorProto]:
    """The files of a backend's services and all that they depend on, which come first."""
    files: dict[str, FileDescriptorProto] = {}

    async def fetch(question: ServerReflectionRequest) -> None:
        answer = await ask(backend.channel, question)
        for raw in answer.file_descriptor_response.file_descriptor_proto:
            file = FileDescriptorProto.FromString(raw)
            files.setdefault(file.name, file)

    for service in backend.services:
        await fetch(file_with_symbol(service))
    asked: set[str] = set()
    while missing := {name for file in files.values() for name in file.dependency} - files.keys() - asked:
        asked |= missing
        for name in missing:
            await fetch(ServerReflectionRequest(file_by_filename=name))
    return _ordered(files)


def _ordered(files: Mapping[str, FileDescriptorProto]) -> list[FileDescriptorProto]:
    ordered: dict[str, FileDescriptorProto] = {}

    def add(name: str, below: tuple[str, ...]) -> None:
        if name in below:
            raise TypeError("files that depend on each other")
        if name not in ordered:
            for each in files[name].dependency:
                add(each, (*below, name))
            ordered[name] = files[name]

    for name in sorted(files):
        add(name, ())
    return list(ordered.values())


def _not_found() -> NotFoundError:
    return NotFoundError("METHOD_NOT_FOUND", "there is no such method here; /openapi.json tells which there are")


def _not_described() -> UnsupportedError:
    return UnsupportedError(
        "SERVICE_NOT_DESCRIBED", "this service does not describe itself by server reflection: call it by gRPC"
    )
