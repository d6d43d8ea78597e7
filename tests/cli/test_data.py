"""Orders of erasure: what is wrong in one is said, and nothing is taken for granted."""

from pathlib import Path

import pytest

from bankai.cli.data import read_order
from bankai.errors import InvalidRequestError


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("reference: DSR-1", "documents, projects, calls or texts must say what to erase"),
        ("projects: [a]", "reference: Field required"),
        ("reference: DSR-1\ntexts: [a]", "texts.0: String should have at least 2 characters"),
        ("reference: DSR-1\ncustomer: 7", "customer: Extra inputs are not permitted"),
        ("reference: [", "cannot be read as YAML: ParserError"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, problem: str) -> None:
    file = tmp_path / "order.yaml"
    file.write_text(text)
    with pytest.raises(InvalidRequestError, match=problem):
        read_order(file)


def test_everything_that_tells_the_customer(tmp_path: Path) -> None:
    file = tmp_path / "order.yaml"
    file.write_text('{reference: DSR-1, documents: {a: [b, c]}, projects: [d], calls: {e: [f]}, texts: ["123"]}')
    assert read_order(file).needles() == {"b", "c", "d", "f", "123"}
