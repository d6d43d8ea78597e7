"""Documents in, fields out: what fails for a moment is sent again under the same id."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import uuid4

import grpc
from google.longrunning import operations_pb2, operations_pb2_grpc
from google.protobuf.duration_pb2 import Duration

from bankai.doc_extract.v1 import doc_extract_pb2 as pb
from bankai.doc_extract.v1 import doc_extract_pb2_grpc
from bankai.errors import ExhaustedError, UnavailableError
from bankai.status import from_rpc_error

CHUNK_BYTES = 256 * 1024
ATTEMPTS = 5
RETRY_S = 1.0
"""Pause before the second attempt where the service names none; twice as long before each further one."""
CALL_TIMEOUT_S = 30.0
"""Time for a call that sends no document."""

Metadata = Sequence[tuple[str, str]]
Sent = Callable[[int], None]
"""Hears how many bytes more went out."""
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class OutgoingDocument:
    """A document to send.

    Attributes:
        data: Its bytes.
        file_name: For people.
        schema_id: Schema whose fields to look for; empty for the built-in one.
        request_id: The caller's id of the extraction; one is made where it is empty.
    """

    data: bytes
    file_name: str = ""
    schema_id: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as it is now.

    Attributes:
        name: Name of its operation.
        done: Whether nothing will change any more.
        metadata: How far it is.
        outcomes: What became of each document, in the order in which they were sent; empty until it is done.
        cancelled: Whether it was cancelled.
    """

    name: str
    done: bool
    metadata: pb.BatchExtractMetadata
    outcomes: Sequence[pb.DocumentOutcome]
    cancelled: bool


class DocExtractClient:
    """Extracts documents.

    Every method raises the BankaiError that the service, the gateway or the connection ended the call with.

    Args:
        channel: To the gateway or a service.
        metadata: Sent with every call.
    """

    def __init__(self, channel: grpc.aio.Channel, metadata: Metadata = ()) -> None:
        # The generated stub is typed for both kinds of channels, and so for neither.
        self._stub: Any = doc_extract_pb2_grpc.DocExtractServiceStub(channel)
        self._operations: Any = operations_pb2_grpc.OperationsStub(channel)
        self._metadata = metadata

    async def extract(
        self, document: OutgoingDocument, *, timeout_s: float | None = None, sent: Sent | None = None
    ) -> pb.ExtractionResult:
        """What stands in one document.

        Args:
            document: The document.
            timeout_s: Longest to wait, in seconds, attempts included; None leaves it to the service.
            sent: Hears how many bytes more went out.
        """
        config = _config(document)

        async def requests() -> AsyncIterator[pb.ExtractRequest]:
            yield pb.ExtractRequest(config=config)
            for chunk in _chunks(document.data):
                yield pb.ExtractRequest(chunk=chunk)
                if sent:
                    sent(len(chunk))

        response: pb.ExtractResponse = await self._sent(
            lambda left: self._stub.Extract(requests(), metadata=self._metadata, timeout=left), timeout_s
        )
        return response.result

    async def start_batch(self, documents: Sequence[OutgoingDocument], *, sent: Sent | None = None) -> Batch:
        """Hands in several documents.

        Args:
            documents: The documents.
            sent: Hears how many bytes more went out.
        """
        config = pb.BatchConfig(request_id=_new_id())
        configs = [_config(document) for document in documents]

        async def requests() -> AsyncIterator[pb.BatchExtractRequest]:
            yield pb.BatchExtractRequest(config=config)
            for each, document in zip(configs, documents, strict=True):
                yield pb.BatchExtractRequest(document=each)
                for chunk in _chunks(document.data):
                    yield pb.BatchExtractRequest(chunk=chunk)
                    if sent:
                        sent(len(chunk))

        return _batch(await self._sent(lambda _: self._stub.BatchExtract(requests(), metadata=self._metadata)))

    async def batch(self, name: str) -> Batch:
        """A batch as it is now, by the name of its operation."""
        return _batch(await self._asked(self._operations.GetOperation, operations_pb2.GetOperationRequest(name=name)))

    async def wait(self, name: str, timeout_s: float = CALL_TIMEOUT_S / 2) -> Batch:
        """A batch once it is done, or as it is after a time."""
        timeout = Duration(seconds=int(timeout_s), nanos=int(timeout_s % 1 * 1e9))
        request = operations_pb2.WaitOperationRequest(name=name, timeout=timeout)
        call = self._operations.WaitOperation
        return _batch(await self._sent(lambda _: call(request, metadata=self._metadata, timeout=timeout_s + 10.0)))

    async def cancel(self, name: str) -> None:
        """Cancels a batch."""
        await self._asked(self._operations.CancelOperation, operations_pb2.CancelOperationRequest(name=name))

    async def result(self, result_id: str) -> pb.ExtractionResult:
        """A result as it is now."""
        request = pb.GetResultRequest(result_id=result_id)
        response: pb.GetResultResponse = await self._asked(self._stub.GetResult, request)
        return response.result

    async def results(self, request: pb.ListResultsRequest) -> AsyncIterator[pb.ResultSummary]:
        """Every result that a request asks for, page by page, the newest first."""
        asked = pb.ListResultsRequest()
        asked.CopyFrom(request)
        while True:
            page: pb.ListResultsResponse = await self._asked(self._stub.ListResults, asked)
            for summary in page.results:
                yield summary
            if not page.next_page_token:
                return
            asked.page_token = page.next_page_token

    async def document(self, result_id: str) -> bytes:
        """The file of a result, where the service keeps files."""
        try:
            call = self._stub.GetDocument(pb.GetDocumentRequest(result_id=result_id), metadata=self._metadata)
            return b"".join([part.chunk async for part in call])
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None

    async def delete(self, result_id: str) -> None:
        """Erases a result, its document and its reviews."""
        await self._asked(self._stub.DeleteResult, pb.DeleteResultRequest(result_id=result_id))

    async def review(
        self, result: pb.ExtractionResult, reviewer: str, corrections: Sequence[pb.Correction]
    ) -> pb.ExtractionResult:
        """Stores a person's corrections of a result as they saw it; returns it with them.

        This is sent once: after a lost answer `result` tells by the revision whether it was stored.
        """
        request = pb.ReviewResultRequest(
            result_id=result.result_id, revision=result.revision, reviewer=reviewer, corrections=corrections
        )
        response: pb.ReviewResultResponse = await self._once(
            self._stub.ReviewResult(request, metadata=self._metadata, timeout=CALL_TIMEOUT_S)
        )
        return response.result

    async def exported_reviews(self, request: pb.ExportReviewsRequest) -> AsyncIterator[pb.ExportReviewsResponse]:
        """Reviewed results as training examples, the oldest first."""
        try:
            async for example in self._stub.ExportReviews(request, metadata=self._metadata):
                yield example
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None

    async def schemas(self, schema_id: str = "", *, all_versions: bool = False) -> Sequence[pb.Schema]:
        """One schema, or all."""
        request = pb.ListSchemasRequest(schema_id=schema_id, all_versions=all_versions)
        response: pb.ListSchemasResponse = await self._asked(self._stub.ListSchemas, request)
        return response.schemas

    async def put_schema(self, request: pb.PutSchemaRequest) -> pb.Schema:
        """Stores a schema of the bank's own."""
        response: pb.PutSchemaResponse = await self._asked(self._stub.PutSchema, request)
        return response.schema

    async def _asked(self, call: Callable[..., Awaitable[Any]], request: Any) -> Any:
        return await self._sent(lambda _: call(request, metadata=self._metadata, timeout=CALL_TIMEOUT_S))

    async def _sent(self, call: Callable[[float | None], Awaitable[Answer]], timeout_s: float | None = None) -> Answer:
        """The answer to a call that may be sent again, as its request has an id or changes nothing."""
        loop = asyncio.get_running_loop()
        until = None if timeout_s is None else loop.time() + timeout_s
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._once(call(None if until is None else max(until - loop.time(), 0.0)))
            except (UnavailableError, ExhaustedError) as error:
                pause = RETRY_S * 2 ** (attempt - 1) if error.retry_after is None else error.retry_after
                if attempt == ATTEMPTS or (until is not None and loop.time() + pause >= until):
                    raise
            await asyncio.sleep(pause)
        raise AssertionError("unreachable")

    @staticmethod
    async def _once(call: Awaitable[Answer]) -> Answer:
        try:
            return await call
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None


def _config(document: OutgoingDocument) -> pb.ExtractConfig:
    return pb.ExtractConfig(
        request_id=document.request_id or _new_id(), schema_id=document.schema_id, file_name=document.file_name
    )


def _new_id() -> str:
    return str(uuid4())


def _chunks(data: bytes) -> Sequence[bytes]:
    return [data[start : start + CHUNK_BYTES] for start in range(0, len(data), CHUNK_BYTES)]


def _batch(operation: operations_pb2.Operation) -> Batch:
    metadata, response = pb.BatchExtractMetadata(), pb.BatchExtractResponse()
    operation.metadata.Unpack(metadata)
    if operation.HasField("response"):
        operation.response.Unpack(response)
    return Batch(operation.name, operation.done, metadata, response.outcomes, operation.HasField("error"))
