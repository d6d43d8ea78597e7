"""`BatchExtract` and google.longrunning.Operations, over real gRPC."""

import asyncio
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.longrunning import operations_pb2
from google.protobuf.duration_pb2 import Duration

from bankai.doc_extract.v1 import doc_extract_pb2 as pb
from bankai.status import from_status
from services.doc_extract import batch_workers
from tests.services.doc_extract.serving.conftest import CONTRACT, Service, Start, batch_requests, refused, until
from tests.services.doc_extract.serving.fakes import ScriptedExtractor


async def wait(service: Service, name: str, seconds: float = 20) -> Any:
    request = operations_pb2.WaitOperationRequest(name=name, timeout=Duration(seconds=int(seconds)))
    return await service.operations.WaitOperation(request, timeout=seconds + 10)


async def get(service: Service, name: str) -> Any:
    return await service.operations.GetOperation(operations_pb2.GetOperationRequest(name=name))


async def cancel(service: Service, name: str) -> None:
    await service.operations.CancelOperation(operations_pb2.CancelOperationRequest(name=name))


def metadata(operation: Any) -> pb.BatchExtractMetadata:
    told = pb.BatchExtractMetadata()
    assert operation.metadata.Unpack(told)
    return told


def outcomes(operation: Any) -> list[pb.DocumentOutcome]:
    response = pb.BatchExtractResponse()
    assert operation.done
    assert operation.response.Unpack(response)
    return list(response.outcomes)


def files(tmp_path: Path) -> list[Path]:
    return [file for file in (tmp_path / "state" / "documents").rglob("*") if file.is_file()]


async def test_a_batch(service: Service) -> None:
    started = await service.batch("b", {"r1": CONTRACT, "r2": b"!locked", "r3": b"amount: 3"})
    assert started.name.startswith("operations/")
    done = await wait(service, started.name)
    found = outcomes(done)
    assert [outcome.request_id for outcome in found] == ["r1", "r2", "r3"]
    assert from_status(found[1].error).reason == "FILE_ENCRYPTED"
    assert from_status(found[1].error).code is grpc.StatusCode.INVALID_ARGUMENT
    result = (await service.stub.GetResult(pb.GetResultRequest(result_id=found[2].result_id))).result
    assert result.values[0].text == "3"
    assert result.request_id == "r3"
    told = metadata(done)
    assert (told.documents, told.documents_done, told.pages, told.pages_done) == (3, 3, 4, 4)
    assert await get(service, started.name) == done


async def test_the_same_batch_again_is_the_same_operation(service: Service, extractor: ScriptedExtractor) -> None:
    documents = {"r1": b"amount: 1", "r2": b"amount: 2"}
    first = await service.batch("b", documents)
    await wait(service, first.name)
    again = await service.batch("b", documents)
    assert again.name == first.name
    assert len(extractor.begun) == 2
    assert await refused(service.batch("b", {"r1": b"amount: 1"})) == ("FAILED_PRECONDITION", "REQUEST_ID_REUSED")
    others = {"r1": b"amount: 9"}
    assert await refused(service.batch("b2", others)) == ("FAILED_PRECONDITION", "REQUEST_ID_REUSED")


async def test_a_batch_takes_what_is_known_and_leaves_no_bytes(
    service: Service, extractor: ScriptedExtractor, tmp_path: Path
) -> None:
    single = await service.extract("r1", CONTRACT)
    done = await wait(service, (await service.batch("b", {"r1": CONTRACT, "r2": b"!locked"})).name)
    assert outcomes(done)[0].result_id == single.result_id
    assert len(extractor.begun) == 2
    await until(lambda: len(files(tmp_path)) == 1)


async def test_extract_takes_over_what_a_batch_would_do(start: Start, extractor: ScriptedExtractor) -> None:
    service = await start(batch={"workers": 0})
    started = await service.batch("b", {"r1": CONTRACT})
    result = await service.extract("r1", CONTRACT)
    assert outcomes(await wait(service, started.name))[0].result_id == result.result_id
    assert len(extractor.begun) == 1


async def test_a_batch_outlives_the_call_whose_document_it_shares(
    service: Service, extractor: ScriptedExtractor
) -> None:
    call = asyncio.create_task(service.extract("r1", b"!hold"))
    await until(lambda: extractor.running)
    started = await service.batch("b", {"r1": b"!hold"})
    call.cancel()
    await until(lambda: len(extractor.begun) == 2)
    extractor.gate.set()
    assert outcomes(await wait(service, started.name))[0].result_id


@pytest.mark.parametrize(
    ("requests", "reason"),
    [
        ([], "CONFIG_REQUIRED"),
        ([pb.BatchExtractRequest(document=pb.ExtractConfig(request_id="r"))], "CONFIG_REQUIRED"),
        ([pb.BatchExtractRequest(config=pb.BatchConfig())], "REQUEST_ID_INVALID"),
        ([pb.BatchExtractRequest(config=pb.BatchConfig(request_id="b"))], "DOCUMENT_REQUIRED"),
        ([pb.BatchExtractRequest(config=pb.BatchConfig(request_id="b"))] * 2, "CONFIG_REPEATED"),
        (
            [pb.BatchExtractRequest(config=pb.BatchConfig(request_id="b")), pb.BatchExtractRequest(chunk=b"x")],
            "CONFIG_REQUIRED",
        ),
        (
            [
                pb.BatchExtractRequest(config=pb.BatchConfig(request_id="b")),
                *[pb.BatchExtractRequest(document=pb.ExtractConfig(request_id="r"))] * 2,
            ],
            "REQUEST_ID_REPEATED",
        ),
        ([*batch_requests("b", {"1": b"a", "2": b"b", "3": b"c"})], "TOO_MANY_DOCUMENTS"),
        ([*batch_requests("b", {"1": bytes(60), "2": bytes(60)})], "BATCH_TOO_LARGE"),
        ([*batch_requests("b", {"1": bytes(90)})], "FILE_TOO_LARGE"),
    ],
)
async def test_batches_that_are_refused_leave_nothing(
    start: Start, tmp_path: Path, requests: list[pb.BatchExtractRequest], reason: str
) -> None:
    service = await start(limits={"batch_documents": 2, "batch_bytes": 100, "document_bytes": 80})
    assert await refused(service.stub.BatchExtract(iter(requests))) == ("INVALID_ARGUMENT", reason)
    assert files(tmp_path) == []
    listed = await service.operations.ListOperations(operations_pb2.ListOperationsRequest())
    assert not listed.operations


async def test_a_client_that_vanishes_leaves_nothing(service: Service, tmp_path: Path) -> None:
    call = service.stub.BatchExtract()
    for request in batch_requests("b", {"r1": CONTRACT, "r2": CONTRACT}):
        await call.write(request)
    await until(lambda: len(files(tmp_path)) == 1)
    call.cancel()
    await until(lambda: not files(tmp_path))


async def test_waiting_ends_at_its_timeout(service: Service, extractor: ScriptedExtractor) -> None:
    started = await service.batch("b", {"r1": b"!hold"})
    request = operations_pb2.WaitOperationRequest(name=started.name, timeout=Duration(nanos=300_000_000))
    assert not (await service.operations.WaitOperation(request)).done
    assert not (await service.operations.WaitOperation(request, timeout=1.0)).done
    extractor.gate.set()


async def test_pages_are_told_while_they_are_read(start: Start, extractor: ScriptedExtractor) -> None:
    service = await start()
    started = await service.batch("b", {"r1": b"!hold"})
    async with asyncio.timeout(10):
        while metadata(await get(service, started.name)).pages_done != 1:  # noqa: ASYNC110  # over the wire
            await asyncio.sleep(0.05)
    assert metadata(await get(service, started.name)).pages == 2
    extractor.gate.set()


async def test_cancelling(service: Service, extractor: ScriptedExtractor, tmp_path: Path) -> None:
    started = await service.batch("b", {"r1": b"amount: 1", "r2": b"!hold", "r3": b"amount: 3"})
    await until(lambda: len(extractor.begun) == 2)
    await cancel(service, started.name)
    operation = await get(service, started.name)
    assert operation.done
    assert operation.error.code == grpc.StatusCode.CANCELLED.value[0]
    await until(lambda: not extractor.running)
    await asyncio.sleep(0.2)
    assert len(extractor.begun) == 2
    first = await service.stub.GetResult(pb.GetResultRequest(request_id="r1"))
    assert first.result.values
    await until(lambda: len(files(tmp_path)) == 1)
    await cancel(service, started.name)  # once more changes nothing
    assert (await service.extract("r3", b"amount: 3")).values[0].text == "3"


async def test_cancelling_spares_documents_of_other_batches(service: Service, extractor: ScriptedExtractor) -> None:
    one = await service.batch("b1", {"r1": b"!hold"})
    two = await service.batch("b2", {"r1": b"!hold"})
    await cancel(service, one.name)
    extractor.gate.set()
    assert outcomes(await wait(service, two.name))[0].result_id
    assert (await get(service, one.name)).error.code == grpc.StatusCode.CANCELLED.value[0]


async def test_a_cancelled_batch_that_is_done_stays_done(service: Service) -> None:
    done = await wait(service, (await service.batch("b", {"r1": CONTRACT})).name)
    await cancel(service, done.name)
    assert await get(service, done.name) == done


async def test_listing_and_deleting(service: Service) -> None:
    names = [(await service.batch(f"b{number}", {f"r{number}": CONTRACT})).name for number in range(3)]
    request = operations_pb2.ListOperationsRequest(name="operations", page_size=2)
    listed = await service.operations.ListOperations(request)
    assert [operation.name for operation in listed.operations] == names[:0:-1]
    request.page_token = listed.next_page_token
    listed = await service.operations.ListOperations(request)
    assert [operation.name for operation in listed.operations] == names[:1]
    await wait(service, names[0])
    await service.operations.DeleteOperation(operations_pb2.DeleteOperationRequest(name=names[0]))
    assert await refused(get(service, names[0])) == ("NOT_FOUND", "OPERATION_NOT_FOUND")
    assert (await service.stub.GetResult(pb.GetResultRequest(request_id="r0"))).result.values
    filtered = service.operations.ListOperations(operations_pb2.ListOperationsRequest(filter="done=true"))
    assert await refused(filtered) == ("INVALID_ARGUMENT", "FILTER_UNSUPPORTED")
    for name in ("x", "operations/none"):
        assert await refused(get(service, name)) == ("NOT_FOUND", "OPERATION_NOT_FOUND")


async def test_a_result_that_was_erased_is_told_in_its_batch(service: Service) -> None:
    done = await wait(service, (await service.batch("b", {"r1": CONTRACT})).name)
    await service.stub.DeleteResult(pb.DeleteResultRequest(result_id=outcomes(done)[0].result_id))
    again = outcomes(await get(service, done.name))[0]
    assert from_status(again.error).reason == "RESULT_NOT_FOUND"


async def test_models_that_are_away_for_a_while(
    start: Start, extractor: ScriptedExtractor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_workers, "_FIRST_DELAY_S", 0.05)
    extractor.down = True
    service = await start()
    started = await service.batch("b", {"r1": b"!down\namount: 1"})
    await until(lambda: len(extractor.begun) == 2)
    extractor.down = False
    assert outcomes(await wait(service, started.name))[0].result_id


async def test_models_that_stay_away(
    start: Start, extractor: ScriptedExtractor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_workers, "_FIRST_DELAY_S", 0.01)
    extractor.down = True
    service = await start(batch={"attempts": 3})
    done = await wait(service, (await service.batch("b", {"r1": b"!down"})).name)
    assert from_status(outcomes(done)[0].error).reason == "INFERENCE_UNAVAILABLE"
    assert len(extractor.begun) == 3


async def test_a_fault_concerns_its_document_only(service: Service) -> None:
    started = await service.batch("b", {"r1": b"!bug", "r2": b"amount: 2"})
    found = outcomes(await wait(service, started.name))
    error = from_status(found[0].error)
    assert (error.reason, "!bug" in error.message) == ("INTERNAL", False)
    assert found[1].result_id


async def test_a_batch_goes_on_after_a_restart(start: Start, extractor: ScriptedExtractor) -> None:
    before = await start(batch={"lease_s": 600})
    started = await before.batch("b", {"r1": b"amount: 1", "r2": b"!hold\namount: 2", "r3": b"amount: 3"})
    await until(lambda: len(extractor.begun) == 2)
    await before.close()  # gives back what it works on, so that nobody waits for the lease
    extractor.gate.set()
    after = await start()
    assert [outcome.WhichOneof("outcome") for outcome in outcomes(await wait(after, started.name))] == ["result_id"] * 3
    assert sorted(extractor.begun).count(b"amount: 1") == 1


async def test_two_processes_share_the_work_and_nothing_is_done_twice(
    start: Start, extractor: ScriptedExtractor
) -> None:
    services = [await start(batch={"workers": 2}) for _ in range(2)]
    documents = {f"r{number}": f"amount: {number}".encode() for number in range(20)}
    started = await services[0].batch("b", documents)
    found = outcomes(await wait(services[1], started.name))
    assert len({outcome.result_id for outcome in found}) == 20
    assert sorted(extractor.begun) == sorted(documents.values())
