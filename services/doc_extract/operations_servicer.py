"""google.longrunning.Operations over the service's batches."""

import asyncio
import math
from typing import Any

import grpc
from google.longrunning import operations_pb2, operations_pb2_grpc
from google.protobuf import empty_pb2

from bankai.blobs import Blobs
from bankai.interceptors import deadline
from bankai.requests import invalid
from services.doc_extract import paging
from services.doc_extract.operation_converters import operation_id, operation_message
from services.doc_extract.storage.operations import OperationStore

NAME = "google.longrunning.Operations"
"""Full name of the service."""

_POLL_S = 0.2
_ANSWER_S = 0.5
"""Time before the deadline at which a wait ends, so that its answer arrives."""

Context = grpc.aio.ServicerContext[Any, Any]


class OperationsServicer(operations_pb2_grpc.OperationsServicer):  # type: ignore[misc]  # ships no types
    """Answers the service's calls; see google/longrunning/operations.proto for each.

    Args:
        operations: The batches.
        blobs: Keeps the documents of those that are not done.
    """

    def __init__(self, operations: OperationStore, blobs: Blobs) -> None:
        self._operations = operations
        self._blobs = blobs

    async def GetOperation(  # noqa: D102, N802  # grpc's
        self,
        request: operations_pb2.GetOperationRequest,
        context: Context,  # noqa: ARG002
    ) -> operations_pb2.Operation:
        return operation_message(await self._operations.get(operation_id(request.name)))

    async def ListOperations(  # noqa: D102, N802  # grpc's
        self,
        request: operations_pb2.ListOperationsRequest,
        context: Context,  # noqa: ARG002
    ) -> operations_pb2.ListOperationsResponse:
        if request.filter:
            raise invalid("FILTER_UNSUPPORTED", "filter", "must be empty; all operations are listed, the newest first")
        size, before = paging.size(request.page_size), paging.place(request.page_token)
        found = await self._operations.list(size + 1, before)
        last = found[size - 1] if len(found) > size else None
        return operations_pb2.ListOperationsResponse(
            operations=[operation_message(operation) for operation in found[:size]],
            next_page_token=paging.token((last.created, last.id)) if last else "",
        )

    async def WaitOperation(  # noqa: D102, N802  # grpc's
        self,
        request: operations_pb2.WaitOperationRequest,
        context: Context,  # noqa: ARG002
    ) -> operations_pb2.Operation:
        asked = request.timeout.ToMilliseconds() / 1000 if request.HasField("timeout") else math.inf
        loop = asyncio.get_running_loop()
        until = loop.time() + min(asked, deadline.remaining() - _ANSWER_S)
        while True:
            operation = await self._operations.get(operation_id(request.name))
            if operation.done or loop.time() >= until:
                return operation_message(operation)
            await asyncio.sleep(min(_POLL_S, max(until - loop.time(), 0)))

    async def CancelOperation(  # noqa: D102, N802  # grpc's
        self,
        request: operations_pb2.CancelOperationRequest,
        context: Context,  # noqa: ARG002
    ) -> empty_pb2.Empty:
        for blob in await self._operations.cancel(operation_id(request.name)):
            await self._blobs.delete(blob)
        return empty_pb2.Empty()

    async def DeleteOperation(  # noqa: D102, N802  # grpc's
        self,
        request: operations_pb2.DeleteOperationRequest,
        context: Context,  # noqa: ARG002
    ) -> empty_pb2.Empty:
        await self._operations.delete(operation_id(request.name))
        return empty_pb2.Empty()
