from collections.abc import Iterator

import pytest

from tests.bankai.logs import Logs, logged


@pytest.fixture
def logs(capsys: pytest.CaptureFixture[str]) -> Iterator[Logs]:
    with logged(capsys, level="debug") as captured:
        yield captured
