"""The API of the doc_extract service: message in, domain call, message out."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import grpc
from google.longrunning import operations_pb2

from bankai import vouching
from bankai.blobs import Blobs
from bankai.doc_extract.v1 import doc_extract_pb2 as pb
from bankai.doc_extract.v1 import doc_extract_pb2_grpc
from bankai.errors import NotFoundError
from bankai.interceptors import deadline
from bankai.requests import invalid
from bankai.timestamps import seconds
from services.doc_extract import converters, paging, review, schema_converters
from services.doc_extract.batch_intake import BatchIntake
from services.doc_extract.batch_workers import BatchWorkers
from services.doc_extract.extractions import Extractions
from services.doc_extract.operation_converters import operation_message
from services.doc_extract.review import Review
from services.doc_extract.schemas import SchemaBook
from services.doc_extract.slots import Slots
from services.doc_extract.storage.results import ResultStore
from services.doc_extract.submission import Result
from services.doc_extract.uploads import Message, Uploads
from services.doc_extract.validation import check_reviewer, check_search

NAME = pb.DESCRIPTOR.services_by_name["DocExtractService"].full_name
"""Full name of the service."""

_CHUNK = 1 << 20

Context = grpc.aio.ServicerContext[Any, Any]


@dataclass(frozen=True, slots=True)
class Parts:
    """What the service's calls stand on.

    Attributes:
        uploads: Takes in documents.
        extractions: Extracts one.
        slots: Where `Extract` waits for its turn.
        batches: Takes in batches.
        workers: Works on them.
        results: Keeps results.
        schemas: Knows the fields.
        blobs: Keeps documents.
        longest_s: Longest that extracting one may take.
    """

    uploads: Uploads
    extractions: Extractions
    slots: Slots
    batches: BatchIntake
    workers: BatchWorkers
    results: ResultStore
    schemas: SchemaBook
    blobs: Blobs
    longest_s: float


class DocExtractServicer(doc_extract_pb2_grpc.DocExtractServiceServicer):
    """Answers the service's calls; see the proto for each.

    Args:
        parts: What they stand on.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def Extract(  # noqa: D102, N802  # grpc's
        self,
        request_iterator: AsyncIterator[pb.ExtractRequest],
        context: Context,  # noqa: ARG002
    ) -> pb.ExtractResponse:
        parts = self._parts
        with parts.uploads.upload() as upload:
            messages = (converters.extract_message(request) async for request in request_iterator)
            document = await parts.uploads.receive(parts.uploads.messages(messages), upload)
            asked = document.submission(vouching.current().channel, min(parts.longest_s, deadline.remaining()))
            result = _allowed(await parts.extractions.extract(asked, document.data, parts.slots))
        return pb.ExtractResponse(result=converters.result_message(result))

    async def BatchExtract(  # noqa: D102, N802  # grpc's
        self,
        request_iterator: AsyncIterator[pb.BatchExtractRequest],
        context: Context,  # noqa: ARG002
    ) -> operations_pb2.Operation:
        parts = self._parts
        messages: AsyncIterator[Message] = (converters.batch_message(request) async for request in request_iterator)
        operation = await parts.batches.receive(vouching.current().channel, parts.uploads.messages(messages))
        parts.workers.wake()
        return operation_message(operation)

    async def GetResult(self, request: pb.GetResultRequest, context: Context) -> pb.GetResultResponse:  # noqa: ARG002, D102, N802  # grpc's
        match request.WhichOneof("id"):
            case "result_id":
                result = await self._parts.results.get(request.result_id)
            case "request_id":
                result = await self._parts.results.of_request(vouching.current().channel, request.request_id)
            case _:
                raise invalid("RESULT_ID_REQUIRED", "result_id", "or request_id must be there")
        return pb.GetResultResponse(
            result=converters.result_message(_allowed(result)),
            reviews=[converters.review_message(each) for each in result.reviews],
        )

    async def ListResults(self, request: pb.ListResultsRequest, context: Context) -> pb.ListResultsResponse:  # noqa: ARG002, D102, N802  # grpc's
        size, before = paging.size(request.page_size), paging.place(request.page_token)
        check_search(request.text)
        found = await self._parts.results.list(
            size + 1, before, needs_review=request.needs_review, schema_id=request.schema_id, text=request.text
        )
        last = found[size - 1] if len(found) > size else None
        return pb.ListResultsResponse(
            results=[converters.summary_message(summary) for summary in found[:size]],
            next_page_token=paging.token((last.created, last.id)) if last else "",
        )

    async def GetDocument(  # noqa: D102, N802  # grpc's
        self,
        request: pb.GetDocumentRequest,
        context: Context,  # noqa: ARG002
    ) -> AsyncIterator[pb.GetDocumentResponse]:
        result = _allowed(await self._parts.results.get(request.result_id))
        data = await self._parts.blobs.get(result.blob) if result.blob else None
        if data is None:
            raise NotFoundError("DOCUMENT_NOT_KEPT", "the service is set not to keep documents, or did not then")
        for start in range(0, len(data), _CHUNK):
            yield pb.GetDocumentResponse(chunk=data[start : start + _CHUNK])

    async def ReviewResult(self, request: pb.ReviewResultRequest, context: Context) -> pb.ReviewResultResponse:  # noqa: ARG002, D102, N802  # grpc's
        check_reviewer(request.reviewer)
        made = Review(
            revision=request.revision + 1,
            reviewer=request.reviewer,
            channel=vouching.current().channel,
            created=time.time(),
            corrections=converters.corrections(request.corrections),
        )
        seen = _allowed(await self._parts.results.get(request.result_id))
        schema = await self._parts.schemas.version(seen.submission.schema_id, seen.submission.schema_version)

        def check(result: Result) -> None:
            review.check(made.corrections, result.values(), schema)

        result = await self._parts.results.add_review(request.result_id, made, check)
        return pb.ReviewResultResponse(result=converters.result_message(result))

    async def ExportReviews(  # noqa: D102, N802  # grpc's
        self,
        request: pb.ExportReviewsRequest,
        context: Context,  # noqa: ARG002
    ) -> AsyncIterator[pb.ExportReviewsResponse]:
        async for result in self._parts.results.reviewed(seconds(request.since), request.schema_id):
            yield pb.ExportReviewsResponse(
                extracted=converters.result_message(result.original()),
                reviewed=converters.result_message(result),
                reviews=[converters.review_message(each) for each in result.reviews],
                document_sha256=result.submission.sha256,
            )

    async def DeleteResult(self, request: pb.DeleteResultRequest, context: Context) -> pb.DeleteResultResponse:  # noqa: ARG002, D102, N802  # grpc's
        blob = await self._parts.results.delete(request.result_id)
        if blob:
            await self._parts.blobs.delete(blob)
        return pb.DeleteResultResponse()

    async def ListSchemas(self, request: pb.ListSchemasRequest, context: Context) -> pb.ListSchemasResponse:  # noqa: ARG002, D102, N802  # grpc's
        found = await self._parts.schemas.list(request.schema_id, all_versions=request.all_versions)
        return pb.ListSchemasResponse(schemas=[schema_converters.schema_message(schema) for schema in found])

    async def PutSchema(self, request: pb.PutSchemaRequest, context: Context) -> pb.PutSchemaResponse:  # noqa: ARG002, D102, N802  # grpc's
        stored = await self._parts.schemas.put(request.schema_id, schema_converters.fields(request.fields))
        return pb.PutSchemaResponse(schema=schema_converters.schema_message(stored))


def _allowed(result: Result) -> Result:
    """The result, where the call's channel may read documents of its kind.

    Raises:
        ForbiddenError: DOCUMENT_KIND_NOT_ALLOWED.
    """
    vouching.current().check_document_kind(result.extraction.kind)
    return result
