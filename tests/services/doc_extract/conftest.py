from collections.abc import AsyncIterator

import pytest

from services.doc_extract.intake.limits import IntakeLimits
from services.doc_extract.intake.reader import FileReader


@pytest.fixture
async def reader() -> AsyncIterator[FileReader]:
    reader = FileReader(IntakeLimits())
    yield reader
    await reader.close()
