"""A customer's data is found by what it holds, and is gone once it is erased."""

import json
from pathlib import Path

from bankai.doc_extract.v1 import doc_extract_pb2 as pb
from tests.services.doc_extract.serving.conftest import CONTRACT, Service, faulted

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


async def test_what_was_erased_is_nowhere(service: Service, tmp_path: Path) -> None:
    await planted(service)
    assert holding(tmp_path / "state", NAME, NUMBER)
    for text in (NAME, NUMBER):
        answer = await service.stub.ListResults(pb.ListResultsRequest(text=text))
        for summary in answer.results:
            await service.stub.DeleteResult(pb.DeleteResultRequest(result_id=summary.result_id))
    assert await found(service, "") == {"another"}
    assert holding(tmp_path / "state", NAME, NUMBER) == []
