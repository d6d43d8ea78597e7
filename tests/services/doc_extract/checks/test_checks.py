from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.doc_extract.checks import run_checks
from services.doc_extract.checks.facts import Facts
from services.doc_extract.result import DocumentKind, FieldValue
from services.doc_extract.schema import credit

Printed = tuple[str, str, str]
"""Field, text, normal form."""


def facts(*values: Printed, gap: int = 10, kind: DocumentKind = DocumentKind.OTHER) -> Facts:
    """Values that stand `gap` characters apart."""
    found, at = [], 0
    for field, text, norm in values:
        found.append(FieldValue(field, text, norm, 0.9, needs_review=False, start=at, end=at + len(text), regions=()))
        at += len(text) + gap
    return Facts(kind, found, credit())


def findings(*values: Printed, gap: int = 10) -> list[tuple[str, tuple[int, ...]]]:
    return [(finding.check, tuple(finding.values)) for finding in run_checks(facts(*values, gap=gap))]


WORDS = ("amount_upper", "柒佰捌拾伍万元整", "7850000.00")
FIGURES = ("amount", "785万元", "7850000.00")
OTHER = ("amount", "758万元", "7580000.00")


def test_words_and_figures() -> None:
    assert findings(WORDS, FIGURES) == []
    assert findings(WORDS, OTHER) == [("amount_upper_mismatch", (0, 1))]
    assert findings(OTHER, WORDS, FIGURES) == []
    assert findings(WORDS, OTHER, gap=1000) == []


SIGNED = ("sign_date", "2023年6月21日", "2023-06-21")  # LPR of one year: 3.55 %


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([SIGNED, ("rate", "LPR+135BP", "LPR1Y+135bp"), ("rate", "4.90%", "4.90%/a")], []),
        ([SIGNED, ("rate", "LPR+135BP", "LPR1Y+135bp"), ("rate", "5.60%", "5.60%/a")], [("rate_mismatch", (1, 2))]),
        ([SIGNED, ("rate", "LPR+135BP，即4.90%", "LPR1Y+135bp;4.9%/a")], []),
        ([SIGNED, ("rate", "LPR-20BP，即3.75%", "LPR1Y-20bp;3.75%/a")], [("rate_mismatch", (1, 0))]),
        ([("rate", "LPR+135BP，即9%", "LPR1Y+135bp;9%/a")], []),
        ([("rate", "5.3625‰", "6.435%/a"), ("rate", "6.435%", "6.435%/a")], []),
        ([("rate", "5.3625‰", "6.435%/a"), ("rate", "6.345%", "6.345%/a")], [("rate_mismatch", (0, 1))]),
        ([("rate", "5%", "5%/a"), ("rate", "6%", "6%/a")], []),
    ],
)
def test_rates(values: list[Printed], expected: list[tuple[str, tuple[int, ...]]]) -> None:
    assert findings(*values) == expected


START = ("start_date", "2023年1月9日", "2023-01-09")
TERM = ("term", "36个月", "P36M")


@pytest.mark.parametrize(
    ("end", "fits"), [("2026-01-08", True), ("2026-01-09", True), ("2026-01-07", False), ("2025-01-09", False)]
)
def test_term_and_dates(end: str, fits: bool) -> None:  # noqa: FBT001  # a table's column
    expected = [] if fits else [("term_dates_mismatch", (0, 1, 2))]
    assert findings(TERM, START, ("end_date", end, end)) == expected


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(1, 400))
def test_a_term_of_days_is_counted(start: date, days: int) -> None:
    end = (start + timedelta(days=days)).isoformat()
    values = [("start_date", start.isoformat(), start.isoformat()), ("term", f"{days}天", f"P{days}D")]
    assert findings(*values, ("end_date", end, end)) == []


def test_each_of_two_loans_has_its_own_dates() -> None:
    loan = [TERM, START, ("end_date", "2026-01-09", "2026-01-09")]
    other = [
        ("term", "1年", "P12M"),
        ("start_date", "2024-01-09", "2024-01-09"),
        ("end_date", "2025-01-09", "2025-01-09"),
    ]
    assert findings(*loan, *other, gap=5) == []


def test_order() -> None:
    assert findings(START, ("end_date", "2022-01-09", "2022-01-09")) == [("date_order", (0, 1))]
    assert findings(START, ("end_date", "2024-01-09", "2024-01-09")) == []


def test_identities() -> None:
    assert findings(("borrower_id", "91350100M000100Y44", "91350100M000100Y44")) == [("id_checksum_failed", (0,))]
    assert findings(("borrower_id", "91350100M000100Y43", "91350100M000100Y43")) == []


def test_what_a_kind_of_document_must_say() -> None:
    blank = {finding.field for finding in run_checks(facts(FIGURES, kind=DocumentKind.LOAN_CONTRACT))}
    assert "borrower" in blank
    assert "amount" not in blank
