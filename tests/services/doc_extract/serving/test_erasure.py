"""A customer's data is found by what it holds, and is gone once it is erased."""

import json
import shutil
from pathlib import Path

import pytest

from bankai.cli.connection import Connection
from bankai.doc_extract.v1 import doc_extract_pb2 as pb
from bankai.errors import InvalidRequestError
from bankai.evaluation.inputs import BadInputError
from services.doc_extract.cli.erasing import erase_again, erase_found
from tests.services.doc_extract.serving.conftest import CONTRACT, Service, Start, faulted

NAME = "欧阳小明"
NUMBER = "11010119900307123X"
OTHER = "borrower: 宏远公司\namount: 1.00\n".encode()


def document(borrower: str) -> bytes:
    return f"borrower: {borrower}\namount: 7850000.00\n".encode()


async def found(service: Service, text: str) -> set[str]:
    answer = await service.stub.ListResults(pb.ListResultsRequest(text=text))
    return {summary.request_id for summary in answer.results}


def holding(folder: Path, *texts: str) -> list[str]:
    """Files below a folder that hold any of the texts, in any of the ways in which they could be written."""
    needles = [form for text in texts for form in (text.encode(), json.dumps(text)[1:-1].encode())]
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert files
    return [file.name for file in files if any(needle in file.read_bytes() for needle in needles)]


async def planted(service: Service) -> None:
    """Five results; all but the last hold something of the customer."""
    await service.extract("by-value", document(NAME))
    await service.extract("by-file", OTHER, file_name=f"{NAME}.txt")
    await service.extract(f"by-request-{NUMBER}", OTHER)
    seen = await service.extract("by-correction", CONTRACT)
    replaced = pb.Replace(value_id=1, text=NAME, norm=NAME)
    await service.stub.ReviewResult(
        pb.ReviewResultRequest(
            result_id=seen.result_id, reviewer="officer", corrections=[pb.Correction(replace=replaced)]
        )
    )
    await service.extract("another", OTHER)


async def test_results_are_found_by_what_they_hold(service: Service) -> None:
    await planted(service)
    assert await found(service, NAME) == {"by-value", "by-file", "by-correction"}
    assert await found(service, NUMBER.lower()) == {f"by-request-{NUMBER}"}
    assert await found(service, "") >= {"another", "by-value"}
    for pattern in ("%", "宏_公司", "\\"):
        assert await found(service, pattern) == set()
    assert await faulted(service.stub.ListResults(pb.ListResultsRequest(text="a" * 201))) == (
        "SEARCH_TOO_LONG",
        "text",
    )


async def test_what_was_erased_is_nowhere(start: Start, tmp_path: Path) -> None:
    service = await start()
    connection = Connection(f"127.0.0.1:{service.port}")
    await planted(service)
    state, receipt = tmp_path / "state", tmp_path / "erased.jsonl"
    assert holding(state, NAME, NUMBER)
    await erase_found(connection, [NAME, NUMBER], receipt, yes=True)
    assert await found(service, "") == {"another"}
    assert holding(state, NAME, NUMBER) == []
    assert len(receipt.read_text().splitlines()) == 4
    assert holding(tmp_path, NAME, NUMBER) == []  # nor in the receipt


async def test_what_a_backup_brings_back_is_erased_again(start: Start, tmp_path: Path, database_url: str) -> None:
    if not database_url.startswith("sqlite"):
        pytest.skip("copies files")
    state, backup, receipt = tmp_path / "state", tmp_path / "backup", tmp_path / "erased.jsonl"
    service = await start()
    await planted(service)
    await service.close()
    shutil.copytree(state, backup)
    service = await start()
    await erase_found(Connection(f"127.0.0.1:{service.port}"), [NAME], receipt, yes=True)
    await service.close()
    shutil.rmtree(state)
    shutil.copytree(backup, state)
    service = await start()
    assert await found(service, NAME)
    await erase_again(Connection(f"127.0.0.1:{service.port}"), receipt, yes=True)
    assert await found(service, NAME) == set()
    await erase_again(Connection(f"127.0.0.1:{service.port}"), receipt, yes=True)  # nothing is there any more


async def test_nobody_erases_by_mistake(service: Service, tmp_path: Path) -> None:
    connection = Connection(f"127.0.0.1:{service.port}")
    await service.extract("r1")
    with pytest.raises(InvalidRequestError, match="--yes"):
        await erase_found(connection, ["宏远"], None, yes=False)
    with pytest.raises(InvalidRequestError, match="everything"):
        await erase_found(connection, ["宏远", " "], None, yes=True)
    (tmp_path / "receipt").write_text('{"result_id": "a"}\nnothing\n')
    with pytest.raises(BadInputError, match="2"):
        await erase_again(connection, tmp_path / "receipt", yes=True)
    assert await found(service, "") == {"r1"}
