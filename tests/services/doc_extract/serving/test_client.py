import asyncio
import random

import pytest

from bankai.client import documents as client_module
from bankai.client.documents import CHUNK_BYTES, DocExtractClient, OutgoingDocument
from bankai.doc_extract.v1 import doc_extract_pb2 as pb
from bankai.errors import ConflictError, InvalidRequestError, UnavailableError
from tests.services.doc_extract.serving.conftest import CONTRACT, Service
from tests.services.doc_extract.serving.fakes import ScriptedExtractor


@pytest.fixture
def client(service: Service) -> DocExtractClient:
    return DocExtractClient(service.channel)


async def test_a_document_comes_back_as_it_is_kept(client: DocExtractClient) -> None:
    found = await client.extract(OutgoingDocument(CONTRACT, "contract.txt"))
    assert ("amount", "7850000.00", False) in {
        (value.field_id, value.norm, value.needs_review) for value in found.values
    }
    assert [finding.check for finding in found.findings] == ["amount_upper_mismatch"]


async def test_a_large_document_arrives_whole(client: DocExtractClient, extractor: ScriptedExtractor) -> None:
    data = random.Random(0).randbytes(3 * CHUNK_BYTES + 17)
    await client.extract(OutgoingDocument(data))
    assert extractor.begun == [data]


async def test_what_fails_for_a_moment_is_sent_again_under_its_id(
    client: DocExtractClient, extractor: ScriptedExtractor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "RETRY_S", 0.05)
    extractor.down = True
    call = asyncio.create_task(client.extract(OutgoingDocument(b"!down\n", request_id="r1")))
    while not extractor.begun:  # noqa: ASYNC110  # a fake has no event
        await asyncio.sleep(0.01)
    extractor.down = False
    assert (await call).request_id == "r1"
    assert len(extractor.begun) == 2


async def test_it_gives_up_when_its_time_is_over(client: DocExtractClient, extractor: ScriptedExtractor) -> None:
    extractor.down = True
    with pytest.raises(UnavailableError):
        await client.extract(OutgoingDocument(b"!down\n"), timeout_s=0.5)


async def test_errors_come_as_their_own_classes(client: DocExtractClient) -> None:
    with pytest.raises(InvalidRequestError) as error:
        await client.extract(OutgoingDocument(b"!locked\n"))
    assert error.value.reason == "FILE_ENCRYPTED"


async def test_a_batch_is_followed_to_its_end(client: DocExtractClient) -> None:
    sent: list[int] = []
    begun = await client.start_batch([OutgoingDocument(CONTRACT), OutgoingDocument(b"!locked\n")], sent=sent.append)
    done = await client.wait(begun.name)
    assert (done.done, done.cancelled, sum(sent)) == (True, False, len(CONTRACT) + 8)
    good, bad = done.outcomes
    assert (await client.result(good.result_id)).values
    assert "FILE_ENCRYPTED" in str(bad.error)
    assert (await client.batch(begun.name)).done


async def test_a_review_of_an_old_state_is_refused(client: DocExtractClient) -> None:
    result = await client.extract(OutgoingDocument(CONTRACT))
    value = next(value for value in result.values if value.field_id == "amount")
    correction = pb.Correction(confirm=pb.Confirm(value_id=value.value_id))
    reviewed = await client.review(result, "li.wei", [correction])
    assert reviewed.revision == result.revision + 1
    with pytest.raises(ConflictError) as error:
        await client.review(result, "li.wei", [correction])
    assert error.value.reason == "REVISION_CONFLICT"
    exported = [example async for example in client.exported_reviews(pb.ExportReviewsRequest())]
    assert len(exported) == 1
