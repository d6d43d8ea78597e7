"""`ReviewResult` and `ExportReviews`, over real gRPC."""

import asyncio
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from bankai.doc_extract.v1 import doc_extract_pb2 as pb
from bankai.status import from_rpc_error
from tests.services.doc_extract.serving.conftest import CONTRACT, Service, faulted, refused


async def review(
    service: Service, result: pb.ExtractionResult, *corrections: pb.Correction, **said: Any
) -> pb.ExtractionResult:
    request = pb.ReviewResultRequest(
        **{"result_id": result.result_id, "revision": result.revision, "reviewer": "li.si", **said},
        corrections=corrections,
    )
    response: pb.ReviewResultResponse = await service.stub.ReviewResult(
        request, metadata=(("x-bankai-channel", "risk"),)
    )
    return response.result


CONFIRM = pb.Correction(confirm=pb.Confirm(value_id=3))
REPLACE = pb.Correction(replace=pb.Replace(value_id=1, text="宏远机械", norm="宏远机械有限公司"))
REMOVE = pb.Correction(remove=pb.Remove(value_id=4))
PLACE = pb.Evidence(page=2, boxes=[pb.Box(left=1, top=2, right=3, bottom=4)])
ADD = pb.Correction(add=pb.Add(field_id="term", text="三年", norm="P36M", evidence=[PLACE]))


def origins(result: pb.ExtractionResult) -> list[tuple[int, str, str, str]]:
    return [
        (value.value_id, value.field_id, value.norm, pb.ValueOrigin.Name(value.origin).removeprefix("VALUE_ORIGIN_"))
        for value in result.values
    ]


async def test_corrections_of_every_kind(service: Service) -> None:
    result = await service.extract("r1", CONTRACT)
    after = await review(service, result, CONFIRM, REPLACE, REMOVE, ADD)
    assert origins(after) == [
        (1, "borrower", "宏远机械有限公司", "CORRECTED"),
        (2, "amount", "7850000.00", "EXTRACTED"),
        (3, "amount_upper", "7850001.00", "CONFIRMED"),
        (5, "term", "P36M", "ADDED"),
    ]
    assert after.revision == 1
    assert not any(value.needs_review for value in after.values)
    assert list(after.values[3].evidence) == [PLACE]
    assert after.values[0].evidence == result.values[0].evidence
    got = await service.stub.GetResult(pb.GetResultRequest(result_id=result.result_id))
    assert got.result == after
    (kept,) = got.reviews
    assert (kept.revision, kept.reviewer, kept.channel) == (1, "li.si", "risk")
    assert list(kept.corrections) == [CONFIRM, REPLACE, REMOVE, ADD]
    assert kept.create_time.ToSeconds() >= result.create_time.ToSeconds()
    listed = await service.stub.ListResults(pb.ListResultsRequest(needs_review=True))
    assert not listed.results


async def test_a_review_of_a_review(service: Service) -> None:
    result = await review(service, await service.extract("r1", CONTRACT), REPLACE, REMOVE, ADD)
    again = pb.Correction(replace=pb.Replace(value_id=5, text="两年", norm="P24M"))
    confirm = pb.Correction(confirm=pb.Confirm(value_id=1))
    result = await review(service, result, again, confirm, ADD)
    assert [(number, norm, origin) for number, _, norm, origin in origins(result)] == [
        (1, "宏远机械有限公司", "CORRECTED"),
        (2, "7850000.00", "EXTRACTED"),
        (3, "7850001.00", "EXTRACTED"),
        (5, "P24M", "ADDED"),
        (6, "P36M", "ADDED"),
    ]


async def test_a_review_of_what_has_changed_meanwhile(service: Service) -> None:
    result = await service.extract("r1", CONTRACT)
    await review(service, result, CONFIRM)
    assert await refused(review(service, result, REMOVE)) == ("FAILED_PRECONDITION", "REVISION_CONFLICT")


async def test_of_reviews_at_once_one_is_taken(service: Service) -> None:
    result = await service.extract("r1", CONTRACT)
    answers = await asyncio.gather(*(review(service, result, CONFIRM) for _ in range(8)), return_exceptions=True)
    refusals = [from_rpc_error(answer).reason for answer in answers if isinstance(answer, grpc.aio.AioRpcError)]
    assert refusals == ["REVISION_CONFLICT"] * 7


@pytest.mark.parametrize(
    ("corrections", "field"),
    [
        ([], "corrections"),
        ([CONFIRM] * 1001, "corrections"),
        ([pb.Correction()], "corrections[0]"),
        ([CONFIRM, pb.Correction(confirm=pb.Confirm(value_id=9))], "corrections[1].confirm.value_id"),
        ([REMOVE, REMOVE], "corrections[1].remove.value_id"),
        ([pb.Correction(add=pb.Add(field_id="colour", text="red"))], "corrections[0].add.field_id"),
        ([pb.Correction(add=pb.Add(field_id="term", text=" "))], "corrections[0].add.text"),
        ([pb.Correction(replace=pb.Replace(value_id=1, text="x" * 4001))], "corrections[0].replace.text"),
        ([pb.Correction(replace=pb.Replace(value_id=1, text="x", norm="x" * 4001))], "corrections[0].replace.norm"),
    ],
)
async def test_reviews_that_do_not_fit(service: Service, corrections: list[pb.Correction], field: str) -> None:
    result = await service.extract("r1", CONTRACT)
    assert await faulted(review(service, result, *corrections)) == ("REVIEW_INVALID", field)
    got = await service.stub.GetResult(pb.GetResultRequest(result_id=result.result_id))
    assert got.result == result


async def test_who_reviews_must_be_said(service: Service) -> None:
    result = await service.extract("r1", CONTRACT)
    for nobody in ("", " ", "x" * 129, "a\nb"):
        call = review(service, result, CONFIRM, reviewer=nobody)
        assert await refused(call) == ("INVALID_ARGUMENT", "REVIEWER_REQUIRED")


async def test_reviews_of_what_is_not_there(service: Service) -> None:
    call = review(service, pb.ExtractionResult(result_id="none"), CONFIRM)
    assert await refused(call) == ("NOT_FOUND", "RESULT_NOT_FOUND")
    call = service.stub.GetResult(pb.GetResultRequest())
    assert await refused(call) == ("INVALID_ARGUMENT", "RESULT_ID_REQUIRED")


async def test_reviewed_results_are_training_examples(service: Service) -> None:
    results = [await service.extract(f"r{number}", CONTRACT) for number in range(4)]
    reviewed = [await review(service, result, REPLACE, ADD) for result in (results[2], results[0])]
    examples = [example async for example in service.stub.ExportReviews(pb.ExportReviewsRequest())]
    assert [example.extracted for example in examples] == [results[2], results[0]]
    assert [example.reviewed for example in examples] == reviewed
    assert [list(example.reviews[0].corrections) for example in examples] == [[REPLACE, ADD]] * 2
    assert len(examples[0].document_sha256) == 64
    since = Timestamp()
    since.FromMicroseconds(examples[1].reviews[0].create_time.ToMicroseconds() - 1)
    later = [each async for each in service.stub.ExportReviews(pb.ExportReviewsRequest(since=since))]
    assert [example.reviewed.request_id for example in later] == ["r0"]
    none = service.stub.ExportReviews(pb.ExportReviewsRequest(schema_id="acme"))
    assert [example async for example in none] == []


async def test_erasing_a_result_erases_its_reviews(service: Service) -> None:
    result = await review(service, await service.extract("r1", CONTRACT), CONFIRM)
    await service.stub.DeleteResult(pb.DeleteResultRequest(result_id=result.result_id))
    assert [example async for example in service.stub.ExportReviews(pb.ExportReviewsRequest())] == []
    again = pb.DeleteResultRequest(result_id=result.result_id)
    assert await refused(service.stub.DeleteResult(again)) == ("NOT_FOUND", "RESULT_NOT_FOUND")
