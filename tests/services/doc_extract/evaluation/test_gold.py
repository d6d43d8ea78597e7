import json
from pathlib import Path

import pytest

from bankai.evaluation.inputs import BadInputError
from services.doc_extract.evaluation.gold import read_documents, read_sentences

GOOD = {"fields": [{"field": "term", "text": "36个月", "norm": "P36M", "where": None, "span": [1, 2]}], "flags": []}


def test_documents(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("期限36个月", encoding="utf-8")
    (tmp_path / "gold.json").write_text(json.dumps({"a.txt": GOOD}), encoding="utf-8")
    ((file, document),) = read_documents(tmp_path).items()
    assert (file.name, document.fields[0].norm) == ("a.txt", "P36M")


@pytest.mark.parametrize(
    ("gold", "problem"),
    [
        (None, "holds no gold.json"),
        ("{", "Invalid JSON"),
        ("{}", "nothing to judge"),
        (json.dumps({"b.txt": GOOD}), "'b.txt', which is not beside it"),
        (json.dumps({"a.txt": {"fields": [{"field": "term"}]}}), "a.txt.fields.0.text: Field required"),
        (json.dumps({"a.txt": {"fields": [{"field": "x", "text": "y", "where": [{"page": 0, "boxes": []}]}]}}), "page"),
    ],
)
def test_a_folder_that_cannot_be_judged(tmp_path: Path, gold: str | None, problem: str) -> None:
    (tmp_path / "a.txt").write_text("x", encoding="utf-8")
    if gold is not None:
        (tmp_path / "gold.json").write_text(gold, encoding="utf-8")
    with pytest.raises(BadInputError) as error:
        read_documents(tmp_path)
    assert problem in error.value.message


def test_sentences(tmp_path: Path) -> None:
    file = tmp_path / "s.json"
    file.write_text(json.dumps([{"text": "期限36个月", **GOOD}]), encoding="utf-8")
    assert read_sentences(file)[0].text == "期限36个月"
    file.write_text("[]", encoding="utf-8")
    with pytest.raises(BadInputError, match="nothing to judge"):
        read_sentences(file)
