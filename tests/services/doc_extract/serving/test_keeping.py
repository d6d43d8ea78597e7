"""A customer is erased by an order, whatever became of the documents, from the files of the store, too."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from google.longrunning import operations_pb2

from bankai.doc_extract.v1 import doc_extract_pb2 as pb
from bankai.keeping import ErasureOrder
from services.doc_extract.keeping import DocumentKeeper, keeper
from tests.services.doc_extract.serving.conftest import CONTRACT, Start
from tests.services.doc_extract.serving.test_retention import files

STORAGE = "BANKAI_DOC_EXTRACT_STORAGE__"


@asynccontextmanager
async def opened(folder: Path, database_url: str, patch: pytest.MonkeyPatch) -> AsyncIterator[DocumentKeeper]:
    patch.setenv(f"{STORAGE}FOLDER", str(folder / "state"))
    patch.setenv(f"{STORAGE}DATABASE_URL", database_url)
    async with keeper() as found:
        yield found


async def test_a_customer_is_erased_whatever_became_of_the_documents(
    start: Start, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = await start()
    await service.extract("loan-1", file_name="宏远公司.txt")
    other = await service.extract("loan-2", b"amount: 1.00\n")
    operation = await service.batch("batch-1", {"loan-3": CONTRACT, "loan-4": b"amount: 2.00\n"})
    await service.operations.WaitOperation(operations_pb2.WaitOperationRequest(name=operation.name))
    order = ErasureOrder(reference="DSR-1", documents={"": ("loan-4",)}, texts=("宏远",))
    async with opened(tmp_path, database_url, monkeypatch) as found:
        assert (await found.find(order)).counts == {"documents": 3, "files": 3}
        erased = await found.erase(order, frozenset())
        assert erased.counts == {"documents": 3, "files": 3}
        assert (await found.erase(order, frozenset())).counts == {"documents": 0, "files": 0}
    assert len(files(tmp_path)) == 1
    remaining = await service.stub.ListResults(pb.ListResultsRequest())
    assert [each.result_id for each in remaining.results] == [other.result_id]
    everything = b"".join(file.read_bytes() for file in (tmp_path / "state").rglob("*") if file.is_file())
    for planted in ("宏远", "loan-1", "loan-3", "loan-4", "batch-1", *erased.ids):
        assert planted.encode() not in everything  # SQLite's file and its journal, while the service runs
    assert other.result_id.encode() in everything or "postgresql" in database_url
