import asyncio
from pathlib import Path

import grpc
import pytest

from bankai.doc_extract.v1 import doc_extract_pb2 as pb
from tests.services.doc_extract.serving.conftest import Start, refused


def files(folder: Path) -> list[Path]:
    return [file for file in (folder / "state" / "documents").rglob("*") if file.is_file()]


async def test_what_is_older_than_the_bank_wants_is_erased_with_its_file(start: Start, tmp_path: Path) -> None:
    service = await start(storage={"retention_days": 1e-6, "sweep_s": 0.1})
    result = await service.extract("r1")
    async with asyncio.timeout(20):
        while True:
            try:
                await service.stub.GetResult(pb.GetResultRequest(result_id=result.result_id))
            except grpc.aio.AioRpcError:
                break
            await asyncio.sleep(0.05)
    assert await refused(service.stub.GetResult(pb.GetResultRequest(result_id=result.result_id))) == (
        "NOT_FOUND",
        "RESULT_NOT_FOUND",
    )
    async with asyncio.timeout(5):
        while files(tmp_path):  # noqa: ASYNC110  # files have no event
            await asyncio.sleep(0.05)


async def test_what_is_young_stays(start: Start, tmp_path: Path) -> None:
    service = await start(storage={"sweep_s": 0.05})
    result = await service.extract("r1")
    await asyncio.sleep(0.3)
    assert (await service.stub.GetResult(pb.GetResultRequest(result_id=result.result_id))).result.values
    assert len(files(tmp_path)) == 1


async def test_an_erased_request_id_is_free_again(start: Start) -> None:
    service = await start()
    first = await service.extract("r1")
    await service.stub.DeleteResult(pb.DeleteResultRequest(result_id=first.result_id))
    with pytest.raises(grpc.aio.AioRpcError):
        await service.stub.GetResult(pb.GetResultRequest(result_id=first.result_id))
    assert (await service.extract("r1")).result_id != first.result_id
