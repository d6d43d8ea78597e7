"""`Extract` and what is kept of it, over real gRPC."""

import asyncio
from pathlib import Path

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from prometheus_client import REGISTRY

from bankai.doc_extract.v1 import doc_extract_pb2 as pb
from tests.services.doc_extract.serving.conftest import CONTRACT, Service, Start, extract_requests, refused, until
from tests.services.doc_extract.serving.fakes import ScriptedExtractor


async def test_a_document_in_chunks(service: Service) -> None:
    result = await service.extract("r1", CONTRACT[:20], CONTRACT[20:21], CONTRACT[21:], file_name="合同.pdf")
    assert [(value.value_id, value.field_id, value.text) for value in result.values] == [
        (1, "borrower", "宏远公司"),
        (2, "amount", "7850000.00"),
        (3, "amount_upper", "7850001.00"),
        (4, "sign_date", "2023-01-09"),
    ]
    amount = result.values[1]
    assert (amount.norm, amount.confidence, amount.needs_review) == ("7850000.00", 0.95, False)
    assert amount.origin == pb.VALUE_ORIGIN_EXTRACTED
    assert amount.evidence[0].page == 1
    assert amount.evidence[0].boxes[0] == pb.Box(left=100, top=20, right=200, bottom=32)
    assert CONTRACT.decode()[amount.text_start : amount.text_end] == "7850000.00"
    assert [value.needs_review for value in result.values] == [False, False, True, False]
    assert (result.findings[0].check, list(result.findings[0].value_ids)) == ("amount_upper_mismatch", [2, 3])
    assert (result.request_id, result.file_name, result.revision) == ("r1", "合同.pdf", 0)
    assert (result.schema_id, result.schema_version, result.model_version) == ("credit", "1", "scripted-1")
    assert (result.document_kind, result.document_kind_confidence) == (pb.DOCUMENT_KIND_LOAN_CONTRACT, 0.9)
    assert [(page.number, page.width, page.source) for page in result.pages] == [
        (1, 595.0, pb.PAGE_SOURCE_DIGITAL),
        (2, 595.0, pb.PAGE_SOURCE_DIGITAL),
    ]
    assert (await service.stub.GetResult(pb.GetResultRequest(result_id=result.result_id))).result == result
    assert (await service.stub.GetResult(pb.GetResultRequest(request_id="r1"))).result == result


async def test_the_same_request_gives_the_same_result(service: Service, extractor: ScriptedExtractor) -> None:
    first = await service.extract("r1")
    assert await service.extract("r1") == first
    assert len(extractor.begun) == 1


async def test_concurrent_calls_of_a_request_extract_once(service: Service, extractor: ScriptedExtractor) -> None:
    calls = [asyncio.create_task(service.extract("r1", b"amount: 1\n!hold")) for _ in range(5)]
    await until(lambda: extractor.begun)
    await asyncio.sleep(0.3)
    extractor.gate.set()
    results = await asyncio.gather(*calls)
    assert len({result.result_id for result in results}) == 1
    assert len(extractor.begun) == 1


async def test_another_file_under_the_same_request_id(service: Service) -> None:
    await service.extract("r1")
    assert await refused(service.extract("r1", b"amount: 2")) == ("FAILED_PRECONDITION", "REQUEST_ID_REUSED")


async def test_a_result_survives_a_restart(start: Start, extractor: ScriptedExtractor) -> None:
    before = await start()
    result = await before.extract("r1")
    await before.close()
    after = await start()
    assert await after.extract("r1") == result
    assert len(extractor.begun) == 1


async def test_a_document_that_cannot_be_read_may_be_sent_again(service: Service, extractor: ScriptedExtractor) -> None:
    assert await refused(service.extract("r1", b"!locked")) == ("INVALID_ARGUMENT", "FILE_ENCRYPTED")
    assert (await service.extract("r1", b"amount: 1")).values[0].text == "1"


@pytest.mark.parametrize(
    ("requests", "reason"),
    [
        ([], "CONFIG_REQUIRED"),
        ([pb.ExtractRequest(chunk=b"x")], "CONFIG_REQUIRED"),
        ([pb.ExtractRequest()], "CONFIG_REQUIRED"),
        ([pb.ExtractRequest(config=pb.ExtractConfig(request_id="a"))] * 2, "CONFIG_REPEATED"),
        ([pb.ExtractRequest(config=pb.ExtractConfig())], "REQUEST_ID_INVALID"),
        ([pb.ExtractRequest(config=pb.ExtractConfig(request_id="a\0b"))], "REQUEST_ID_INVALID"),
        ([pb.ExtractRequest(config=pb.ExtractConfig(request_id="a" * 129))], "REQUEST_ID_INVALID"),
        ([pb.ExtractRequest(config=pb.ExtractConfig(request_id="a", file_name="b" * 256))], "FILE_NAME_INVALID"),
    ],
)
async def test_messages_out_of_order(service: Service, requests: list[pb.ExtractRequest], reason: str) -> None:
    assert await refused(service.stub.Extract(iter(requests))) == ("INVALID_ARGUMENT", reason)


async def test_an_unknown_schema_is_refused_before_the_file_comes(service: Service) -> None:
    call = service.stub.Extract()
    await call.write(pb.ExtractRequest(config=pb.ExtractConfig(request_id="a", schema_id="acme")))
    assert await refused(call) == ("NOT_FOUND", "SCHEMA_NOT_FOUND")


async def test_a_file_over_the_limit_is_refused_while_it_comes(start: Start) -> None:
    service = await start(limits={"document_bytes": 1_000_000})

    def endless() -> object:
        yield pb.ExtractRequest(config=pb.ExtractConfig(request_id="a"))
        while True:
            yield pb.ExtractRequest(chunk=bytes(100_000))

    assert await refused(service.stub.Extract(endless())) == ("INVALID_ARGUMENT", "FILE_TOO_LARGE")


async def test_the_memory_of_all_uploads_is_limited(start: Start, extractor: ScriptedExtractor) -> None:
    service = await start(limits={"upload_bytes": 1000})
    holding = asyncio.create_task(service.extract("r1", b"!hold\n" + bytes(800)))
    await until(lambda: extractor.begun)
    assert await refused(service.extract("r2", bytes(300))) == ("RESOURCE_EXHAUSTED", "UPLOADS_FULL")
    extractor.gate.set()
    await holding
    await service.extract("r2", bytes(300))


async def test_a_client_that_vanishes_leaves_nothing(start: Start, extractor: ScriptedExtractor) -> None:
    service = await start(limits={"upload_bytes": 1000})
    for request in ("r1", "r2", "r3"):
        call = service.stub.Extract()
        await call.write(pb.ExtractRequest(config=pb.ExtractConfig(request_id=request)))
        await call.write(pb.ExtractRequest(chunk=bytes(900)))
        await asyncio.sleep(0.1)
        call.cancel()
        await asyncio.sleep(0.1)
    await service.extract("r1", bytes(900))
    assert len(extractor.begun) == 1


async def test_an_upload_that_stands_still_is_ended(start: Start) -> None:
    service = await start(limits={"upload_idle_s": 0.2})
    call = service.stub.Extract()
    await call.write(pb.ExtractRequest(config=pb.ExtractConfig(request_id="a")))
    assert await refused(call) == ("DEADLINE_EXCEEDED", "UPLOAD_IDLE")


async def test_calls_beyond_the_queue_are_refused(start: Start, extractor: ScriptedExtractor) -> None:
    service = await start(limits={"extractions": 1, "extractions_waiting": 1})
    first = asyncio.create_task(service.extract("r1", b"!hold"))
    await until(lambda: extractor.begun)
    second = asyncio.create_task(service.extract("r2"))
    await asyncio.sleep(0.2)
    assert await refused(service.extract("r3")) == ("RESOURCE_EXHAUSTED", "EXTRACTIONS_FULL")
    assert REGISTRY.get_sample_value("bankai_doc_extract_waiting") == 1
    extractor.gate.set()
    await asyncio.gather(first, second)
    assert REGISTRY.get_sample_value("bankai_doc_extract_waiting") == 0
    await service.extract("r3")


async def test_cancelling_gives_the_work_up(service: Service, extractor: ScriptedExtractor) -> None:
    call = asyncio.create_task(service.extract("r1", b"!hold"))
    await until(lambda: extractor.running)
    call.cancel()
    await until(lambda: not extractor.running)
    extractor.gate.set()
    await service.extract("r1", b"amount: 1")  # another file: nothing is left of the first


@pytest.mark.parametrize("by", ["deadline", "option", "setting"])
async def test_the_time_is_limited(start: Start, extractor: ScriptedExtractor, by: str) -> None:
    service = await start(limits={"extract_s": 0.3 if by == "setting" else 60})
    config = pb.ExtractConfig(request_id="a", timeout=Duration(nanos=300_000_000) if by == "option" else None)
    call = service.stub.Extract(extract_requests(config, [b"!hold"]), timeout=0.3 if by == "deadline" else None)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await until(lambda: not extractor.running)


async def test_the_file_is_kept_and_erased(service: Service, tmp_path: Path) -> None:
    result = await service.extract("r1")
    request = pb.GetDocumentRequest(result_id=result.result_id)
    assert b"".join([part.chunk async for part in service.stub.GetDocument(request)]) == CONTRACT
    kept = [file for file in (tmp_path / "state" / "documents").rglob("*") if file.is_file()]
    assert len(kept) == 1
    await service.stub.DeleteResult(pb.DeleteResultRequest(result_id=result.result_id))
    assert not kept[0].exists()
    get = pb.GetResultRequest(result_id=result.result_id)
    assert await refused(service.stub.GetResult(get)) == ("NOT_FOUND", "RESULT_NOT_FOUND")
    assert (await service.extract("r1", b"amount: 2")).result_id != result.result_id


async def test_the_file_is_not_kept_where_the_setting_says_so(start: Start, tmp_path: Path) -> None:
    service = await start(storage={"keep_documents": False})
    result = await service.extract("r1")
    call = service.stub.GetDocument(pb.GetDocumentRequest(result_id=result.result_id))
    assert await refused(call.read()) == ("NOT_FOUND", "DOCUMENT_NOT_KEPT")
    assert not [file for file in (tmp_path / "state" / "documents").rglob("*") if file.is_file()]


async def test_results_are_listed_newest_first(service: Service) -> None:
    for number in range(5):
        await service.extract(f"r{number}", b"amount: 1?" if number % 2 else b"amount: 1")
    listed = await service.stub.ListResults(pb.ListResultsRequest(page_size=3))
    assert [summary.request_id for summary in listed.results] == ["r4", "r3", "r2"]
    token = listed.next_page_token
    listed = await service.stub.ListResults(pb.ListResultsRequest(page_size=3, page_token=token))
    assert [summary.request_id for summary in listed.results] == ["r1", "r0"]
    assert listed.next_page_token == ""
    listed = await service.stub.ListResults(pb.ListResultsRequest(needs_review=True))
    assert [(each.request_id, each.values_to_review) for each in listed.results] == [("r3", 1), ("r1", 1)]
    listed = await service.stub.ListResults(pb.ListResultsRequest(schema_id="other"))
    assert not listed.results
    for wrong in ("x", "e30=", "bnVsbA=="):
        call = service.stub.ListResults(pb.ListResultsRequest(page_token=wrong))
        assert await refused(call) == ("INVALID_ARGUMENT", "PAGE_TOKEN_INVALID")
