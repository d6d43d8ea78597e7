"""What a channel may read of another's, over real gRPC: what it may not does not exist for it."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.longrunning import operations_pb2

from bankai.doc_extract.v1 import doc_extract_pb2 as pb
from bankai.vouching import Vouch
from tests.services.doc_extract.serving.conftest import (
    CONTRACT,
    Service,
    Start,
    batch_requests,
    extract_requests,
    refused,
)
from tests.vouching import Voucher

OWNER = Vouch("core-banking")
OTHER = Vouch("risk")
DESK = Vouch("credit-desk", reads=("core-banking",))
ALL = Vouch("auditor", reads=None)
NOT_FOUND = ("NOT_FOUND", "RESULT_NOT_FOUND")


class Bank:
    """A service behind a gateway, called by several channels."""

    def __init__(self, service: Service, voucher: Voucher) -> None:
        self._service = service
        self._voucher = voucher

    def call(self, vouch: Vouch, name: str, request: Any) -> Any:
        method = f"/bankai.doc_extract.v1.DocExtractService/{name}"
        return getattr(self._service.stub, name)(request, metadata=self._voucher.metadata(vouch, method))

    def operation(self, vouch: Vouch, name: str, request: Any) -> Any:
        method = f"/google.longrunning.Operations/{name}"
        return getattr(self._service.operations, name)(request, metadata=self._voucher.metadata(vouch, method))

    async def extract(self, vouch: Vouch, request_id: str = "r1") -> pb.ExtractionResult:
        requests = extract_requests(pb.ExtractConfig(request_id=request_id), (CONTRACT,))
        response: pb.ExtractResponse = await self.call(vouch, "Extract", requests)
        return response.result


@pytest.fixture
async def bank(start: Start, tmp_path: Path) -> Bank:
    voucher = Voucher(tmp_path)
    service = await start(gateway_keys=voucher.public, storage={"keep_documents": True})
    return Bank(service, voucher)


async def test_a_service_that_knows_its_gateway_serves_nobody_else(bank: Bank) -> None:
    call = bank._service.stub.GetResult(pb.GetResultRequest(result_id="x"), metadata=(("x-bankai-channel", "risk"),))
    assert await refused(call) == ("UNAUTHENTICATED", "NOT_VOUCHED")
    call = bank._service.operations.GetOperation(operations_pb2.GetOperationRequest(name="operations/x"))
    assert await refused(call) == ("UNAUTHENTICATED", "NOT_VOUCHED")


async def test_who_may_read_a_result(bank: Bank) -> None:
    result = await bank.extract(OWNER)
    request = pb.GetResultRequest(result_id=result.result_id)
    for vouch in (OWNER, DESK, ALL):
        assert (await bank.call(vouch, "GetResult", request)).result == result
    assert await refused(bank.call(OTHER, "GetResult", request)) == NOT_FOUND


Touch = Callable[[Bank, str], Awaitable[Any]]
TOUCHES: dict[str, Touch] = {
    "review": lambda bank, result_id: bank.call(
        OTHER, "ReviewResult", pb.ReviewResultRequest(result_id=result_id, reviewer="li.si")
    ),
    "erase": lambda bank, result_id: bank.call(OTHER, "DeleteResult", pb.DeleteResultRequest(result_id=result_id)),
    "document": lambda bank, result_id: _first(
        bank.call(OTHER, "GetDocument", pb.GetDocumentRequest(result_id=result_id))
    ),
}


async def _first(call: Any) -> Any:
    return [message async for message in call]


@pytest.mark.parametrize("touch", TOUCHES)
async def test_what_another_channel_may_not_do(bank: Bank, touch: str) -> None:
    result = await bank.extract(OWNER)
    assert await refused(TOUCHES[touch](bank, result.result_id)) == NOT_FOUND
    assert (await bank.call(OWNER, "GetResult", pb.GetResultRequest(result_id=result.result_id))).result == result


async def test_lists_hold_what_may_be_read(bank: Bank) -> None:
    mine, theirs = await bank.extract(OWNER), await bank.extract(OTHER)
    listed = {
        vouch.channel: {
            each.result_id for each in (await bank.call(vouch, "ListResults", pb.ListResultsRequest())).results
        }
        for vouch in (OWNER, OTHER, DESK, ALL)
    }
    assert listed == {
        "core-banking": {mine.result_id},
        "risk": {theirs.result_id},
        "credit-desk": {mine.result_id},
        "auditor": {mine.result_id, theirs.result_id},
    }


async def test_reviews_are_exported_to_who_may_read_them(bank: Bank) -> None:
    result = await bank.extract(OWNER)
    confirm = pb.Correction(confirm=pb.Confirm(value_id=3))
    said = pb.ReviewResultRequest(result_id=result.result_id, reviewer="li.si", corrections=[confirm])
    await bank.call(DESK, "ReviewResult", said)
    counts = [
        len(await _first(bank.call(vouch, "ExportReviews", pb.ExportReviewsRequest()))) for vouch in (DESK, OTHER)
    ]
    assert counts == [1, 0]


async def test_request_ids_are_a_channel_s_own(bank: Bank) -> None:
    assert (await bank.extract(OWNER)).result_id != (await bank.extract(OTHER)).result_id


async def test_batches_are_their_channel_s(bank: Bank) -> None:
    requests = batch_requests("b1", {"d1": CONTRACT})
    operation = await bank.call(OWNER, "BatchExtract", requests)
    get = operations_pb2.GetOperationRequest(name=operation.name)
    assert (await bank.operation(OWNER, "GetOperation", get)).name == operation.name
    assert (await bank.operation(DESK, "GetOperation", get)).name == operation.name
    for name, request in (
        ("GetOperation", get),
        ("WaitOperation", operations_pb2.WaitOperationRequest(name=operation.name)),
        ("CancelOperation", operations_pb2.CancelOperationRequest(name=operation.name)),
        ("DeleteOperation", operations_pb2.DeleteOperationRequest(name=operation.name)),
    ):
        assert await refused(bank.operation(OTHER, name, request)) == ("NOT_FOUND", "OPERATION_NOT_FOUND")
    listed = await bank.operation(OTHER, "ListOperations", operations_pb2.ListOperationsRequest())
    assert not listed.operations
    waited = await bank.operation(OWNER, "WaitOperation", operations_pb2.WaitOperationRequest(name=operation.name))
    assert waited.done


async def test_kinds_of_document_that_a_channel_may_not_read(bank: Bank) -> None:
    kind = (await bank.call(ALL, "ListResults", pb.ListResultsRequest())).results
    assert not kind
    limited = Vouch("core-banking", document_kinds=("approval_notice",))
    assert await refused(bank.extract(limited)) == ("PERMISSION_DENIED", "DOCUMENT_KIND_NOT_ALLOWED")
    result = await bank.extract(OWNER)  # it was made, and belongs to the channel
    request = pb.GetResultRequest(result_id=result.result_id)
    assert await refused(bank.call(limited, "GetResult", request)) == ("PERMISSION_DENIED", "DOCUMENT_KIND_NOT_ALLOWED")
    assert not (await bank.call(limited, "ListResults", pb.ListResultsRequest())).results
    assert len((await bank.call(OWNER, "ListResults", pb.ListResultsRequest())).results) == 1


async def test_a_token_for_one_method_is_none_for_another(bank: Bank) -> None:
    method = "/bankai.doc_extract.v1.DocExtractService/ListResults"
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await bank._service.stub.DeleteResult(
            pb.DeleteResultRequest(result_id="x"), metadata=bank._voucher.metadata(OWNER, method)
        )
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
