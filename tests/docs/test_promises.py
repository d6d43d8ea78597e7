"""Promises of pages name tests: they are there."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

PAGES = [
    *(ROOT / "docs" / f"{name}.md" for name in ("security", "observability", "models", "backup", "capacity")),
    *sorted((ROOT / "docs" / "gateway").glob("*.md")),
]
_TEST = re.compile(r"`(tests/[\w/]+\.py)`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tests_that_a_page_names_exist(page: Path) -> None:
    missing = [file for file in _TEST.findall(page.read_text(encoding="utf-8")) if not (ROOT / file).is_file()]
    assert missing == []


def test_every_threat_has_a_test() -> None:
    rows = [line for line in PAGES[0].read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    begin = next(number for number, row in enumerate(rows) if row.startswith("| threat |"))
    threats = rows[begin + 2 : rows.index("| variable | what |")]
    assert len(threats) > 10
    assert [row for row in threats if not _TEST.search(row)] == []
