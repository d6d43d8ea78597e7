"""Answers that need more than their own message's type, or cannot be told."""

import json
from typing import Any

import pytest
from google.longrunning import operations_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from bankai.doc_extract.v1 import doc_extract_pb2 as pb
from bankai.errors import FaultError
from gateway.http.descriptors import Description, describe
from gateway.http.transcoding import to_json
from tests.gateway.http.kinds import pool, sample


def of_doc_extract() -> Description:
    """What its backend, which serves the operations of its batches, too, says by reflection."""
    files: dict[str, FileDescriptorProto] = {}

    def add(file: Any) -> None:
        for each in file.dependencies:
            add(each)
        files.setdefault(file.name, FileDescriptorProto.FromString(file.serialized_pb))

    add(pb.DESCRIPTOR)
    add(operations_pb2.DESCRIPTOR)
    return describe(list(files.values()), ["bankai.doc_extract.v1.DocExtractService", "google.longrunning.Operations"])


def test_an_operation_holds_messages_of_the_service_beside_it() -> None:
    method = of_doc_extract().methods["google.longrunning.Operations"]["GetOperation"]
    operation = operations_pb2.Operation(name="o-1", done=True)
    operation.metadata.Pack(pb.BatchExtractMetadata(documents=2, documents_done=2))
    operation.response.Pack(pb.BatchExtractResponse(outcomes=[pb.DocumentOutcome(request_id="r-1", result_id="x")]))
    assert json.loads(to_json(method.response, method.pool, operation.SerializeToString())) == {
        "name": "o-1",
        "done": True,
        "metadata": {
            "@type": "type.googleapis.com/bankai.doc_extract.v1.BatchExtractMetadata",
            "documents": 2,
            "documentsDone": 2,
        },
        "response": {
            "@type": "type.googleapis.com/bankai.doc_extract.v1.BatchExtractResponse",
            "outcomes": [{"requestId": "r-1", "resultId": "x"}],
        },
    }


@pytest.mark.parametrize("raw", [b"\xff", sample()(any={"type_url": "x/no.Such"}).SerializeToString()])
def test_an_answer_that_cannot_be_told_is_our_fault(raw: bytes) -> None:
    with pytest.raises(FaultError) as caught:
        to_json(sample(), pool(), raw)
    assert caught.value.reason == "ANSWER_NOT_JSON"
