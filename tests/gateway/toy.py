"""A backend of bytes with all four kinds of calls, in the test's process or as one of its own."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.protobuf.descriptor_pb2 import FileDescriptorProto, MethodOptions
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha import reflection

from bankai.errors import UnavailableError
from bankai.interceptors.base import Context, MethodHandler
from bankai.server import GrpcServer, run
from bankai.settings import ServerSettings
from bankai.status import abort

SERVICE = "toy.v1.Toy"
BIG = 64 * 1024

_UNARY = ("Echo", "Put", "Save", "Show", "Fail", "Hang", "Huge", "Slow")
_SERVER_STREAM = ("Count", "Flood", "Early")
_CLIENT_STREAM = ("Collect", "Deaf")
_BIDI = ("Chat", "Refuse")
_IDEMPOTENCY = {"Echo": MethodOptions.NO_SIDE_EFFECTS, "Put": MethodOptions.IDEMPOTENT}


class Toy(grpc.GenericRpcHandler):
    """Notes in `events` what happens to it, and counts the messages of the floods.

    Attributes:
        delay_s: Seconds that Echo, Put and Save take.
        failing: Status with which they end, as often as `failures` says.
        retry_info: Whether that status says when to try again.
        retry_after_s: And when that is, in seconds from now.
        requests: What they were called with.
    """

    def __init__(self) -> None:
        self.delay_s = 0.0
        self.failing = grpc.StatusCode.UNAVAILABLE
        self.failures = 0
        self.retry_info = False
        self.retry_after_s = 0.01
        self.requests: list[bytes] = []
        self.events: list[str] = []
        self.flooded = 0
        self.metadata: dict[str, Any] = {}
        self.trailers: tuple[tuple[str, str], ...] = ()
        self.may_read = asyncio.Event()
        self._news = asyncio.Condition()

    async def saw(self, event: str) -> None:
        """Waits until it has seen the event."""
        async with asyncio.timeout(5), self._news:
            await self._news.wait_for(lambda: event in self.events)

    async def _note(self, event: str) -> None:
        self.events.append(event)
        async with self._news:
            self._news.notify_all()

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> MethodHandler | None:
        service, _, name = handler_call_details.method[1:].rpartition("/")
        if service != SERVICE or name not in (*_UNARY, *_SERVER_STREAM, *_CLIENT_STREAM, *_BIDI):
            return None
        make: Callable[..., MethodHandler] = (
            grpc.unary_unary_rpc_method_handler
            if name in _UNARY
            else grpc.unary_stream_rpc_method_handler
            if name in _SERVER_STREAM
            else grpc.stream_unary_rpc_method_handler
            if name in _CLIENT_STREAM
            else grpc.stream_stream_rpc_method_handler
        )
        return make(getattr(self, f"_{name.lower()}"))

    async def _echo(self, request: bytes, context: Context) -> bytes:
        self.requests.append(request)
        if self.trailers:
            context.set_trailing_metadata(self.trailers)
        if self.delay_s:
            try:
                await asyncio.sleep(self.delay_s)
            except asyncio.CancelledError:
                await self._note("echo cancelled")
                raise
        if self.failures:
            self.failures -= 1
            if self.retry_info:
                await abort(context, UnavailableError("TOY_AWAY", "the toy is away", retry_after=self.retry_after_s))
            await context.abort(self.failing, "as told", (("x-why", "told"),))
        return request

    _put = _save = _echo

    async def _slow(self, request: bytes, context: Context) -> bytes:
        """Answers once it may, every time something else."""
        await self._note("begun")
        number = self.events.count("begun")
        await self.may_read.wait()
        context.set_trailing_metadata((("x-number", str(number)), ("x-number-bin", bytes((number,)))))
        return b"%d %s" % (number, request)

    async def _huge(self, request: bytes, context: Context) -> bytes:
        return bytes(4 * 1024 * 1024 + 1)

    async def _show(self, request: bytes, context: Context) -> bytes:
        self.metadata = dict(context.invocation_metadata() or ())
        await context.send_initial_metadata((("x-early", "1"), ("x-early-bin", b"\x00\xff")))
        context.set_trailing_metadata((("x-late", "2"), ("x-late", "3"), ("x-late-bin", b"\xff\x00")))
        return json.dumps({"left": context.time_remaining()}).encode()

    async def _fail(self, request: bytes, context: Context) -> bytes:
        """Ends as the request says: code, message, whether with trailers."""
        wanted = json.loads(request)
        trailers = (("grpc-status-details-bin", b"\x08\x05"), ("x-why", "because")) if wanted["trailers"] else ()
        if wanted.get("early"):
            await context.send_initial_metadata((("x-early", "1"),))
        return await context.abort(grpc.StatusCode[wanted["code"]], wanted["message"], trailers)

    async def _hang(self, request: bytes, context: Context) -> bytes:
        await self._note("begun")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await self._note("cancelled")
            raise
        return b""

    async def _count(self, request: bytes, context: Context) -> AsyncIterator[bytes]:
        for number in range(int(request)):
            yield str(number).encode()

    async def _early(self, request: bytes, context: Context) -> AsyncIterator[bytes]:
        """Sends its metadata, and messages only once it may."""
        await context.send_initial_metadata((("x-early", "1"),))
        await self.may_read.wait()
        yield b"now"

    async def _flood(self, request: bytes, context: Context) -> AsyncIterator[bytes]:
        for _ in range(int(request)):
            yield bytes(BIG)
            self.flooded += 1

    async def _collect(self, requests: AsyncIterator[bytes], context: Context) -> bytes:
        return b"+".join([request async for request in requests])

    async def _deaf(self, requests: AsyncIterator[bytes], context: Context) -> bytes:
        """Reads nothing until it may."""
        await self.may_read.wait()
        size = 0
        async for request in requests:
            size += len(request)
        return str(size).encode()

    async def _chat(self, requests: AsyncIterator[bytes], context: Context) -> None:
        await self._note("begun")
        try:
            async for request in requests:
                await context.write(b"you said " + request)
            await asyncio.sleep(0.1)  # grpc.aio ends the requests of a client that has vanished, too
            await self._note("half-closed")
            await context.write(b"bye")
        except (asyncio.CancelledError, grpc.aio.InternalError):  # the latter at a write to a client that is gone
            await self._note("cancelled")
            raise

    async def _refuse(self, requests: AsyncIterator[bytes], context: Context) -> AsyncIterator[bytes]:
        """Ends the call after the first message, while the client goes on."""
        async for request in requests:
            yield request
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "enough", (("x-why", "because"),))


def described() -> DescriptorPool:
    """Descriptors of the toy service, as reflection shows them."""
    file = FileDescriptorProto(name="toy/v1/toy.proto", package="toy.v1", syntax="proto3")
    file.message_type.add(name="Any")
    service = file.service.add(name="Toy")
    for name in (*_UNARY, *_SERVER_STREAM, *_CLIENT_STREAM, *_BIDI):
        service.method.add(
            name=name,
            input_type=".toy.v1.Any",
            output_type=".toy.v1.Any",
            client_streaming=name in (*_CLIENT_STREAM, *_BIDI),
            server_streaming=name in (*_SERVER_STREAM, *_BIDI),
            options=MethodOptions(idempotency_level=_IDEMPOTENCY.get(name, MethodOptions.IDEMPOTENCY_UNKNOWN)),
        )
    pool = DescriptorPool()
    pool.Add(file)
    return pool


@asynccontextmanager
async def serving(toy: Toy, *, with_reflection: bool, port: int = 0) -> AsyncIterator[int]:
    """Serves the toy on a plain gRPC server, whose every answer is the toy's own."""
    server = grpc.aio.server(
        options=(
            ("grpc.max_receive_message_length", -1),
            ("grpc.http2.min_ping_interval_without_data_ms", 1000),  # as our servers allow
        )
    )
    server.add_generic_rpc_handlers((toy,))
    if with_reflection:
        reflection.enable_server_reflection((SERVICE,), server, pool=described())
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)


async def _main(port: str) -> None:
    server = GrpcServer(ServerSettings(listen=f"127.0.0.1:{port}", drain_grace_s=5), name="toy")

    def register(grpc_server: grpc.aio.Server) -> None:
        grpc_server.add_generic_rpc_handlers((Toy(),))
        reflection.enable_server_reflection((SERVICE,), grpc_server, pool=described())

    server.add(register, ())
    await server.run()


if __name__ == "__main__":
    run(_main(sys.argv[1]))
