"""Server reflection for the services behind the gateway: the question goes to the backend that can answer it."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import grpc
from grpc_reflection.v1alpha.reflection_pb2 import (
    ErrorResponse,
    ListServiceResponse,
    ServerReflectionRequest,
    ServerReflectionResponse,
    ServiceResponse,
)

from bankai.interceptors.base import Context, MethodHandler
from gateway.relay import as_is, send_all
from gateway.routing.table import RouteTable

# The two versions differ in their names only; our backends, built with Python's library, speak v1alpha.
SERVICES = ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")
_ONWARD = f"/{SERVICES[1]}/ServerReflectionInfo"
_TIMEOUT_S = 5.0


def file_with_symbol(symbol: str) -> ServerReflectionRequest:
    """Asks for the file that defines a symbol, e.g. the full name of a service."""
    return ServerReflectionRequest(file_containing_symbol=symbol)


async def ask(
    channel: grpc.aio.Channel, request: ServerReflectionRequest, metadata: Sequence[tuple[str, str | bytes]] = ()
) -> ServerReflectionResponse:
    """Asks one question of one server.

    Raises:
        grpc.aio.AioRpcError: The server has no reflection or cannot be reached.
    """
    call: grpc.aio.StreamStreamCall[bytes, bytes] = channel.stream_stream(_ONWARD, as_is, as_is)(
        timeout=_TIMEOUT_S, metadata=metadata
    )

    async def question() -> AsyncIterator[bytes]:
        yield request.SerializeToString()

    asking = asyncio.create_task(send_all(question(), call))
    try:
        answer = await call.read()
        if isinstance(answer, bytes):
            return ServerReflectionResponse.FromString(answer)
        return ServerReflectionResponse(error_response=_error(grpc.StatusCode.NOT_FOUND, "no answer"))
    finally:
        call.cancel()
        asking.cancel()
        await asyncio.wait((asking,))


class ReflectionHandler(grpc.GenericRpcHandler):
    """Serves both versions of grpc.reflection.

    Args:
        table: The services to describe.
    """

    def __init__(self, table: RouteTable) -> None:
        self._table = table
        self._handler = grpc.stream_stream_rpc_method_handler(
            self._info,
            request_deserializer=ServerReflectionRequest.FromString,
            response_serializer=ServerReflectionResponse.SerializeToString,
        )

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> MethodHandler | None:
        """Takes up calls of reflection and no others."""
        service, _, name = handler_call_details.method[1:].rpartition("/")
        return self._handler if service in SERVICES and name == "ServerReflectionInfo" else None

    async def _info(
        self, requests: AsyncIterator[ServerReflectionRequest], _context: Context
    ) -> AsyncIterator[ServerReflectionResponse]:
        async for request in requests:
            answer = await self._answer(request)
            answer.original_request.CopyFrom(request)
            yield answer

    async def _answer(self, request: ServerReflectionRequest) -> ServerReflectionResponse:
        if request.HasField("list_services"):
            return await self._list(request)
        answers = []
        for channel in self._candidates(request.file_containing_symbol):
            try:
                answer = await ask(channel, request)
            except grpc.aio.AioRpcError:
                answer = ServerReflectionResponse(
                    error_response=_error(grpc.StatusCode.UNAVAILABLE, "the service cannot be asked now")
                )
            if not answer.HasField("error_response"):
                return answer
            answers.append(answer)
        return answers[0]  # of the one most likely to know

    async def _list(self, request: ServerReflectionRequest) -> ServerReflectionResponse:
        """The routed services whose backends can describe them now: clients ask for each one that is listed."""
        channels = self._candidates("")
        answers = await asyncio.gather(*(ask(channel, request) for channel in channels), return_exceptions=True)
        described = {
            (channel, service.name)
            for channel, answer in zip(channels, answers, strict=True)
            if isinstance(answer, ServerReflectionResponse)
            for service in answer.list_services_response.service
        }
        routed = sorted(name for name, channel in self._table.by_service.items() if (channel, name) in described)
        return ServerReflectionResponse(
            list_services_response=ListServiceResponse(service=[ServiceResponse(name=name) for name in routed])
        )

    def _candidates(self, symbol: str) -> list[grpc.aio.Channel]:
        """All channels, once each; the one that serves the symbol's service first."""
        by_service = self._table.by_service
        service = symbol if symbol in by_service else symbol.rpartition(".")[0]
        ordered = sorted(by_service, key=lambda name: name != service)
        return list(dict.fromkeys(by_service[name] for name in ordered))


def _error(code: grpc.StatusCode, message: str) -> ErrorResponse:
    return ErrorResponse(error_code=code.value[0], error_message=message)
