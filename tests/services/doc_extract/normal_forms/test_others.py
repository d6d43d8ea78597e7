from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.doc_extract.candidate import ValueKind
from services.doc_extract.normal_forms.accounts import normalise_account
from services.doc_extract.normal_forms.dates import normalise_date
from services.doc_extract.normal_forms.identities import checksum_ok, normalise_identity
from services.doc_extract.normal_forms.lpr import lpr_on
from services.doc_extract.normal_forms.opinions import normalise_opinion
from services.doc_extract.normal_forms.registry import normalise
from services.doc_extract.normal_forms.repayment import normalise_repayment
from services.doc_extract.normal_forms.terms import normalise_term


@pytest.mark.parametrize(
    "text",
    [
        "2023年1月9日",
        "2023 年 1 月 9 日",
        "２０２３年０１月０９日",
        "二〇二三年一月九日",
        "二○二三年一月九日",
        "二零二三年一月九日",
        "2023-01-09",
        "2023.1.9",
        "2023/1/9",
        "20230109",
        "January 9, 2023",
        "9 January 2023",
        "9th day of January 2023",
    ],
)
def test_dates(text: str) -> None:
    assert normalise_date(text) == "2023-01-09"


@pytest.mark.parametrize("text", ["", "年 月 日", "＿＿年＿＿月＿＿日", "2023年2月30日", "2023年1月", "二〇二三年"])
def test_no_date_from_what_is_blank_or_impossible(text: str) -> None:
    assert normalise_date(text) is None


@given(st.dates(date(1900, 1, 1), date(2199, 12, 31)))
def test_every_date_comes_back(day: date) -> None:
    digits = "〇一二三四五六七八九"

    def words(number: int) -> str:
        tens, ones = divmod(number, 10)
        return ("" if tens < 2 else digits[tens]) + ("十" if tens else "") + (digits[ones] if ones else "")

    year = "".join(digits[int(digit)] for digit in str(day.year))
    for text in (
        day.isoformat(),
        f"{day.year}年{day.month}月{day.day}日",
        f"{year}年{words(day.month)}月{words(day.day)}日",
    ):
        assert normalise_date(text) == day.isoformat()


@pytest.mark.parametrize(
    ("text", "norm"),
    [
        ("36个月", "P36M"),
        ("三十六个月", "P36M"),
        ("叁年", "P36M"),
        ("一年半", "P18M"),
        ("半年", "P6M"),
        ("90天", "P90D"),
        ("36 months", "P36M"),
        ("two years", "P24M"),
        ("____个月", None),
        ("长期", None),
    ],
)
def test_terms(text: str, norm: str | None) -> None:
    assert normalise_term(text) == norm


def test_a_term_may_have_its_unit_in_the_label() -> None:
    assert normalise_term("36", "期限（月）") == "P36M"


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("11010519491231002X", True),
        ("110105194912310021", False),
        ("91350100M000100Y43", True),
        ("91350100M000100Y44", False),
        ("12345", None),
    ],
)
def test_checksums(text: str, verdict: object) -> None:
    assert checksum_ok(text) is verdict


def test_identities_and_accounts_lose_what_stands_between() -> None:
    assert normalise_identity("11010519491231 002x") == "11010519491231002X"
    assert normalise_account("6222 0212 3456 7890 123") == "6222021234567890123"
    assert normalise_account("账号") is None


@pytest.mark.parametrize(
    ("text", "norm"),
    [
        ("等额本息", "equal_instalment"),
        ("按月等额本金还款", "equal_principal"),
        ("按月付息，到期还本", "interest_first_bullet"),
        ("利随本清", "bullet"),
        ("到期一次还本付息", "bullet"),
        ("按项目进度归还", "other"),
        ("　　", None),
    ],
)
def test_repayment(text: str, norm: str | None) -> None:
    assert normalise_repayment(text) == norm


@pytest.mark.parametrize(
    ("text", "norm"),
    [
        ("同意", "approved"),
        ("不同意", "rejected"),
        ("同意，但须落实抵押登记后放款", "conditional"),
        ("Approved subject to the following conditions", "conditional"),
        ("＿＿", None),
    ],
)
def test_opinions(text: str, norm: str | None) -> None:
    assert normalise_opinion(text) == norm


def test_the_loan_prime_rate_in_force() -> None:
    assert lpr_on(date(2019, 8, 19), "1Y") is None
    assert lpr_on(date(2019, 8, 20), "1Y") == Decimal("4.25")
    assert lpr_on(date(2024, 2, 19), "5Y") == Decimal("4.20")
    assert lpr_on(date(2024, 2, 20), "5Y") == Decimal("3.95")
    assert lpr_on(date(2030, 1, 1), "5Y") == Decimal("3.50")


@given(st.sampled_from(ValueKind), st.text(max_size=80), st.text(max_size=20))
def test_any_text_of_any_kind_is_survived(kind: ValueKind, text: str, before: str) -> None:
    normalise(kind, text, before)
