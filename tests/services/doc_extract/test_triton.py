"""The same documents through a real Triton that serves the shipped models."""

from collections.abc import Iterator

import pytest

from bankai.inference import open_backend
from bankai.inference.triton_server import TritonInstallation, TritonServer
from bankai.settings import InferenceSettings
from services.doc_extract.app import open_extractor
from services.doc_extract.extractor import Extractor
from services.doc_extract.result import Extraction
from services.doc_extract.schema import credit
from services.doc_extract.settings import DocExtractSettings
from tests.services.doc_extract.documents import pdf, scan

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def triton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonServer]:
    installation = TritonInstallation()
    if not installation.complete:
        pytest.skip("there is no Triton server: run `make triton`")
    log = tmp_path_factory.mktemp("triton") / "log.txt"
    with TritonServer(InferenceSettings().models_dir, log=log, installation=installation) as server:
        yield server


async def extracted(extractor: Extractor, data: bytes) -> Extraction:
    return await extractor.extract(data, credit(), timeout=120, progress=lambda _: None)


@pytest.mark.parametrize("data", [pdf(), scan()], ids=["digital", "scan"])
async def test_triton_says_what_the_process_itself_says(
    triton: TritonServer, extractor: Extractor, data: bytes
) -> None:
    inference = InferenceSettings(backend="triton", triton_url=triton.grpc_url)
    settings = DocExtractSettings(inference=inference)
    backend = open_backend(inference)
    try:
        async with open_extractor(settings, backend) as served:
            theirs = await extracted(served, data)
    finally:
        await backend.close()
    ours = await extracted(extractor, data)
    assert theirs.values
    assert [(value.field, value.norm, value.regions) for value in theirs.values] == [
        (value.field, value.norm, value.regions) for value in ours.values
    ]
    assert [value.confidence for value in theirs.values] == pytest.approx(
        [value.confidence for value in ours.values], abs=1e-3
    )
