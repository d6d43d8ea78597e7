import pytest

from services.doc_extract.evaluation.gold import GoldDocument, GoldValue
from services.doc_extract.evaluation.scoring import Verdict, judge
from services.doc_extract.page import Source
from services.doc_extract.result import DocumentKind, Extraction, FieldValue, Finding, PageInfo


def verdict(values: list[tuple[str, str, bool]], checks: list[str], pages: int = 2) -> Verdict:
    told = [FieldValue(field, text, text, 0.6 if review else 0.9, review, 0, 1, ()) for field, text, review in values]
    infos = [PageInfo(number, 595, 842, Source.DIGITAL, 0) for number in range(pages)]
    findings = [Finding(check, "") for check in checks]
    return Verdict(Extraction(DocumentKind.OTHER, 1.0, told, findings, infos, "1", "m"), 0.5)


def gold(values: list[tuple[str, str]], flags: list[str]) -> GoldDocument:
    return GoldDocument(fields=[GoldValue(field=field, text=text, norm=text) for field, text in values], flags=flags)


def test_metrics() -> None:
    found = judge(
        [gold([("borrower", "甲"), ("lender", "乙")], ["date_order"]), gold([("borrower", "丙")], [])],
        [
            verdict([("borrower", "甲", False), ("lender", "丁", True)], ["date_order", "rate_mismatch"]),
            verdict([("borrower", "丙", True)], []),
        ],
    )
    assert (found["n_files"], found["n_fields"]) == (2, 3)
    assert found["precision"] == found["recall"] == pytest.approx(2 / 3)
    assert found["norm_exact"] == 1.0
    assert found["box_iou_hit"] is None
    assert (found["check_precision"], found["check_recall"]) == (0.5, 1.0)
    assert found["accepted_precision"] == 1.0
    assert found["review_share"] == pytest.approx(2 / 3)
    assert found["by_field"]["lender"] == {"n": 1, "precision": 0.0, "recall": 0.0, "f1": 0.0}
    assert found["s_per_page"] == pytest.approx(0.25)


def test_what_the_data_do_not_define_is_none() -> None:
    found = judge([gold([], [])], [verdict([], [])])
    assert {name for name, value in found.items() if value is None} >= {"precision", "recall", "f1", "check_recall"}


def test_checks_are_not_judged_where_flags_are_unknown() -> None:
    found = judge([GoldDocument(fields=[], flags=None)], [verdict([], ["date_order"])])
    assert (found["check_precision"], found["check_recall"]) == (None, None)
