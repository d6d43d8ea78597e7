"""`bankai eval documents` and `bankai eval sentences`, with the shipped models."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.services.doc_extract.documents import pdf

pytestmark = pytest.mark.slow


def test_documents(bankai: Run, tmp_path: Path) -> None:
    (tmp_path / "notice.pdf").write_bytes(pdf())
    fields = [
        {"field": "borrower", "text": "宏远机械有限公司", "norm": None},
        {
            "field": "amount",
            "text": "785万元",
            "norm": "7850000.00",
            "where": [{"page": 1, "boxes": [[170, 98, 240, 108]]}],
        },
        {"field": "rate", "text": "5%", "norm": "5%/a"},
    ]
    (tmp_path / "gold.json").write_text(
        json.dumps({"notice.pdf": {"fields": fields, "flags": ["required_field_blank"]}})
    )
    done = bankai("eval", "documents", tmp_path, "--errors", tmp_path / "errors.jsonl")
    assert done.returncode == 0, done.stderr
    metrics = json.loads(done.stdout.splitlines()[-1])
    assert (metrics["n_files"], metrics["n_fields"], metrics["recall"]) == (1, 3, 0.6667)
    assert (metrics["norm_exact"], metrics["box_iou_hit"], metrics["check_recall"]) == (1.0, 1.0, 1.0)
    assert metrics["by_field"]["rate"] == {"n": 1, "precision": None, "recall": 0.0, "f1": 0.0}
    assert metrics["s_per_page"] > 0
    assert "extracting documents" in done.stderr
    errors = [json.loads(line) for line in (tmp_path / "errors.jsonl").read_text().splitlines()]
    missed = {"file": "notice.pdf", "error": "missed", "field": "rate", "text": "5%", "norm": "5%/a"}
    assert missed in errors
    assert {error["error"] for error in errors} == {"missed", "wrong"}


def test_sentences(bankai: Run, tmp_path: Path) -> None:
    text = "借款人张三丰向江城银行借款人民币100万元，期限36个月。"
    fields = [
        {"field": "amount", "start": 13, "end": 22, "text": "人民币100万元", "norm": "1000000.00"},
        {"field": "term", "start": 25, "end": 29, "text": "36个月", "norm": "P36M"},
    ]
    file = tmp_path / "sentences.json"
    file.write_text(json.dumps([{"text": text, "fields": fields}]), encoding="utf-8")
    done = bankai("eval", "sentences", file)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["recall"] == 1.0


def test_where_errors_cannot_be_written_is_told(bankai: Run, tmp_path: Path) -> None:
    file = tmp_path / "sentences.json"
    file.write_text(json.dumps([{"text": "期限36个月", "fields": []}]), encoding="utf-8")
    done = bankai("eval", "sentences", file, "--errors", tmp_path / "none" / "errors.jsonl")
    assert done.returncode == 2
    assert "cannot be written" in done.stderr


@pytest.mark.parametrize("command", ["documents", "sentences"])
def test_bad_input_is_told(bankai: Run, tmp_path: Path, command: str) -> None:
    done = bankai("eval", command, tmp_path / "none")
    assert done.returncode == 2
    assert "none" in done.stderr


def test_a_document_that_cannot_be_read_is_named(bankai: Run, tmp_path: Path) -> None:
    (tmp_path / "locked.pdf").write_bytes(pdf(password="secret"))  # of a test's file
    (tmp_path / "gold.json").write_text(json.dumps({"locked.pdf": {"fields": []}}))
    done = bankai("eval", "documents", tmp_path)
    assert done.returncode == 2
    assert "locked.pdf" in done.stderr
    assert "FILE_ENCRYPTED" in done.stderr
