"""Gold files of every wrong kind are refused with the file, the line and the reason."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bankai.evaluation import inputs


def parse(row: dict[str, Any]) -> str:
    return inputs.text_field(row, "text", max_chars=20)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"text": "ok"}\n{"text": ', "line 2: is no JSON"),
        (b'{"text": "ok"}\n\n["no", "object"]', "line 3: must be a JSON object"),
        (b'{"text": 7}', "line 1: 'text' must be a string"),
        (b"{}", "line 1: 'text' is missing"),
        (b'{"text": " "}', "line 1: 'text' is empty"),
        (b'{"text": "' + b"x" * 21 + b'"}', "line 1: 'text' has 21 characters; at most 20"),
        (b'{"text": "\\ud800"}', "line 1: 'text' holds half of a surrogate pair"),
        (b'{"text": "ok"}\n{"text": "\xff"}', "line 2: is not UTF-8"),
        (b"[" * 100_000, "line 1: is no JSON that can be read"),
        (b"\n \n", "holds no line"),
        (b"", "holds no line"),
    ],
)
def test_bad_jsonl_names_file_line_and_problem(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "gold.jsonl"
    file.write_bytes(content)
    with pytest.raises(inputs.BadInputError, match=message) as caught:
        inputs.read_jsonl(file, parse)
    assert str(caught.value).startswith(str(file))


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.jsonl", tmp_path):
        with pytest.raises(inputs.BadInputError, match="cannot be read"):
            inputs.read_jsonl(path, parse)


def test_byte_order_mark_blank_lines_and_line_separators_are_fine(tmp_path: Path) -> None:
    file = tmp_path / "gold.jsonl"
    file.write_bytes('\ufeff{"text": "one\u2028two"}\r\n\r\n{"text": "three"}\r\n'.encode())
    assert inputs.read_jsonl(file, parse) == ["one\u2028two", "three"]


@given(content=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "any.jsonl"
    file.write_bytes(content)
    for read in (lambda: inputs.read_jsonl(file, parse), lambda: inputs.read_csv(file, ["text"])):
        try:
            assert read()
        except inputs.BadInputError as error:
            assert error.message  # noqa: PT017  # either outcome is right


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("text,label\na,b\n", "line 1: has no column 'category'"),
        ("text,category\na,\n", "line 2: column 'category' is empty"),
        ("text,category\na\n", "line 2: column 'category' is empty"),
        ("text,category\n", "holds no row"),
        ('text,category\n"a"b,c\n', "line 2: is no CSV"),
    ],
)
def test_bad_csv_names_file_line_and_problem(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "gold.csv"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(inputs.BadInputError, match=message):
        inputs.read_csv(file, ["text", "category"])


def test_csv_cells_may_span_lines(tmp_path: Path) -> None:
    file = tmp_path / "gold.csv"
    file.write_text('category,extra,text\ncard,1,"my card\nis lost"\n', encoding="utf-8")
    assert inputs.read_csv(file, ["text", "category"]) == [("my card\nis lost", "card")]


def test_labels_must_be_known() -> None:
    assert inputs.labels_field({"intents": ["a", "b", "a"]}, "intents", ["a", "b"]) == ("a", "b")
    assert inputs.label_field({"emotion": None}, "emotion", ["calm"]) is None
    assert inputs.label_field({}, "emotion", ["calm"]) is None
    bad: list[tuple[dict[str, Any], str]] = [
        ({"intents": ["z"]}, "names 'z', which the model does not know"),
        ({"intents": "a"}, "must be a list of strings"),
        ({}, "is missing"),
    ]
    for row, message in bad:
        with pytest.raises(ValueError, match=message):
            inputs.labels_field(row, "intents", ["a"])
    for value, message in [("z", "names 'z'"), (3, "must be a string or null")]:
        with pytest.raises(ValueError, match=message):
            inputs.label_field({"emotion": value}, "emotion", ["calm"])
