from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bankai.inference import open_backend
from services.doc_extract.app import open_extractor
from services.doc_extract.extractor import Extractor
from services.doc_extract.intake.limits import IntakeLimits
from services.doc_extract.intake.reader import FileReader
from services.doc_extract.settings import DocExtractSettings, StorageSettings


@pytest.fixture
async def reader() -> AsyncIterator[FileReader]:
    reader = FileReader(IntakeLimits())
    yield reader
    await reader.close()


@pytest.fixture
async def extractor(tmp_path: Path) -> AsyncIterator[Extractor]:
    """The service's own, with the models that are shipped."""
    settings = DocExtractSettings(storage=StorageSettings(folder=tmp_path))
    backend = open_backend(settings.inference)
    async with open_extractor(settings, backend) as extractor:
        yield extractor
    await backend.close()
