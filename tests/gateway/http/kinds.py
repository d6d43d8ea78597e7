"""A backend with messages of every kind, described by reflection and known to nobody else."""

import asyncio
import functools
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import any_pb2, struct_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2, status_pb2
from grpc_reflection.v1alpha import reflection
from grpc_tools import protoc  # type: ignore[import-untyped]  # ships no types

from bankai.interceptors.base import Context

SERVICE = "toy.v1.Kinds"
UNKNOWN = "type.googleapis.com/no.Such"


@functools.cache
def files() -> FileDescriptorSet:
    """The descriptors of kinds.proto and what it needs, comments included."""
    here = Path(__file__).parent
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "kinds.binpb"
        well_known = Path(protoc.__file__).parent / "_proto"
        arguments = ["", f"-I{here}", f"-I{well_known}", "--include_imports", "--include_source_info"]
        assert protoc.main([*arguments, f"--descriptor_set_out={out}", "kinds.proto"]) == 0
        return FileDescriptorSet.FromString(out.read_bytes())


@functools.cache
def pool() -> DescriptorPool:
    found = DescriptorPool()
    for file in files().file:
        found.Add(file)
    return found


@functools.cache
def sample() -> type[Message]:
    return GetMessageClass(pool().FindMessageTypeByName("toy.v1.Sample"))


class Kinds:
    """Serves it; notes in `events` what happens to it."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.repeated = 0
        self.may_go_on = asyncio.Event()
        self._news = asyncio.Condition()

    async def saw(self, event: str) -> None:
        """Waits until it has seen the event."""
        async with asyncio.timeout(20), self._news:
            await self._news.wait_for(lambda: event in self.events)

    async def _note(self, event: str) -> None:
        self.events.append(event)
        async with self._news:
            self._news.notify_all()

    async def mirror(self, request: Any, context: Context) -> Any:
        if request.string_value == "unknown":
            request.any.type_url = UNKNOWN
        context.set_trailing_metadata((("x-late", "2"), ("x-late-bin", b"\xff\x00"), ("other", "3")))
        return request

    async def nothing(self, request: Any, context: Context) -> Any:
        return Empty()

    async def headers(self, request: Any, context: Context) -> Any:
        told = struct_pb2.Struct()
        told.update({key: str(value) for key, value in context.invocation_metadata() or ()})
        told["time left"] = context.time_remaining()
        return told

    async def fail(self, request: Any, context: Context) -> Any:
        """Fails with the code of int32_value, and details that everybody, its clients alone, and nobody know."""
        code = next(code for code in grpc.StatusCode if code.value[0] == request.int32_value)
        told = status_pb2.Status(code=code.value[0], message=request.string_value)
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromMilliseconds(1500)
        for detail in (error_details_pb2.ErrorInfo(reason="TOY", domain="toy"), retry, sample()(string_value="mine")):
            told.details.add().Pack(detail)
        told.details.append(any_pb2.Any(type_url=UNKNOWN, value=b"\x08\x01"))
        trailers = (("grpc-status-details-bin", told.SerializeToString()), ("x-why", "because"))
        return await context.abort(code, request.string_value, trailers)

    async def hang(self, request: Any, context: Context) -> Any:
        await self._note("begun")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await self._note("cancelled")
            raise
        return request

    async def repeat(self, request: Any, context: Context) -> AsyncIterator[Any]:
        try:
            for number in range(request.int32_value):
                request.int32_value = number
                if number and request.string_value == "unknown":
                    request.any.type_url = UNKNOWN
                yield request
                self.repeated += 1
            if request.string_value == "wait":
                await self.may_go_on.wait()
        except asyncio.CancelledError:
            await self._note("cancelled")
            raise

    async def break_(self, request: Any, context: Context) -> AsyncIterator[Any]:
        for _ in range(request.int32_value):
            yield request
        await context.abort(grpc.StatusCode.DATA_LOSS, "broken", (("x-why", "because"),))

    async def gather(self, requests: AsyncIterator[Any], context: Context) -> Any:
        await self._note("begun")
        texts = []
        try:
            async for request in requests:
                texts.append(request.string_value)
                if request.string_value == "wait":
                    await self.may_go_on.wait()
            await asyncio.sleep(0.1)  # grpc.aio ends the requests of a client that has vanished, too
        except asyncio.CancelledError:
            await self._note("cancelled")
            raise
        await self._note("half-closed")
        return sample()(int32_value=len(texts), string_value="".join(texts)[:1000])

    async def chat(self, requests: AsyncIterator[Any], context: Context) -> AsyncIterator[Any]:
        async for request in requests:
            if request.string_value == "stop":
                await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "enough", (("x-why", "because"),))
            yield request

    def handler(self) -> grpc.GenericRpcHandler:
        """Its methods, as gRPC takes them."""
        service: Any = pool().FindServiceByName(SERVICE)
        handlers = {}
        for method in service.methods:
            make: Any = {
                (False, False): grpc.unary_unary_rpc_method_handler,
                (False, True): grpc.unary_stream_rpc_method_handler,
                (True, False): grpc.stream_unary_rpc_method_handler,
                (True, True): grpc.stream_stream_rpc_method_handler,
            }[method.client_streaming, method.server_streaming]
            name = method.name.lower()
            handlers[method.name] = make(
                getattr(self, name, None) or getattr(self, f"{name}_"),
                request_deserializer=GetMessageClass(method.input_type).FromString,
                response_serializer=lambda message: message.SerializeToString(),
            )
        return grpc.method_handlers_generic_handler(SERVICE, handlers)


@asynccontextmanager
async def serving(
    kinds: Kinds,
    *,
    port: int = 0,
    described: Callable[[], DescriptorPool] | None = pool,
    describing: grpc.GenericRpcHandler | None = None,
) -> AsyncIterator[int]:
    """Serves it, with reflection from a pool or by a handler of one's own."""
    server = grpc.aio.server(options=(("grpc.max_receive_message_length", -1),))
    server.add_generic_rpc_handlers((kinds.handler(),))
    if describing is not None:
        server.add_generic_rpc_handlers((describing,))
    elif described is not None:
        reflection.enable_server_reflection((SERVICE,), server, pool=described())
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)
