import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.doc_extract.candidate import ValueKind
from services.doc_extract.finders import find_candidates

CLAUSE = (
    "借款金额为人民币（大写）柒佰捌拾伍万元整（小写：￥7,850,000.00元），期限36个月，自2023年1月9日起至2026-01-08止，"
    "年利率5.6525%，按1年期LPR加135个基点，逾期加收50%，账号6222 0212 3456 7890 123，"
    "统一社会信用代码91350100M000100Y43。"
)


def found(text: str, kind: ValueKind) -> list[tuple[str, str | None]]:
    return [(each.text, each.norm) for each in find_candidates(text) if each.kind is kind]


def test_a_clause_full_of_values() -> None:
    assert found(CLAUSE, ValueKind.AMOUNT) == [
        ("人民币（大写）柒佰捌拾伍万元整", "7850000.00"),
        ("￥7,850,000.00元", "7850000.00"),
    ]
    assert found(CLAUSE, ValueKind.TERM) == [("36个月", "P36M")]
    assert found(CLAUSE, ValueKind.DATE) == [("2023年1月9日", "2023-01-09"), ("2026-01-08", "2026-01-08")]
    assert ("5.6525%", "5.6525%/a") in found(CLAUSE, ValueKind.RATE)
    assert ("1年期LPR加135个基点", "LPR1Y+135bp") in found(CLAUSE, ValueKind.RATE)
    assert found(CLAUSE, ValueKind.PENALTY_RATE) == [("加收50%", "+50%")]
    assert found(CLAUSE, ValueKind.ACCOUNT)[0] == ("6222 0212 3456 7890 123", "6222021234567890123")
    assert found(CLAUSE, ValueKind.IDENTITY) == [("91350100M000100Y43", "91350100M000100Y43")]


@pytest.mark.parametrize(
    "text",
    [
        "贷款期限＿＿年，自　年　月　日起至　年　月　日止，年利率　％",
        "人民币（大写）　　　　万元（小写：￥　　　元）",
        "借款____万元，期限____个月，月利率____‰",
    ],
)
def test_a_blank_form_has_no_values(text: str) -> None:
    assert find_candidates(text) == []


@pytest.mark.parametrize(
    ("text", "kind", "norms"),
    [
        ("期限1年6个月，", ValueKind.TERM, ["P18M"]),
        ("期限三年六个月。", ValueKind.TERM, ["P42M"]),
        ("期限一年半。", ValueKind.TERM, ["P18M"]),
        ("1年期LPR", ValueKind.TERM, []),
        ("2020年6月起", ValueKind.TERM, []),
        ("在基准利率上上浮15%", ValueKind.RATE, ["benchmark+15%"]),
        ("在基准利率的基础上下浮10%", ValueKind.RATE, ["benchmark-10%"]),
        ("逾期在此基础上上浮50%", ValueKind.RATE, []),
    ],
)
def test_terms_and_shares(text: str, kind: ValueKind, norms: list[str]) -> None:
    assert [norm for _, norm in found(text, kind)] == norms


def test_values_written_into_blanks() -> None:
    text = "借款金额人民币＿＿100＿＿万元整，期限__36__个月，自＿2019＿年＿3＿月＿5＿日起，月利率＿＿4.65＿＿‰"
    norms = [candidate.norm for candidate in find_candidates(text)]
    assert norms == ["1000000.00", "P36M", "2019-03-05", "5.58%/a"]


def test_a_value_stays_in_its_cell_and_line() -> None:
    assert found("100\t万元", ValueKind.AMOUNT) == []
    assert found("2023年1月\n9日", ValueKind.DATE) == []


@given(st.text("0123456789,.%‰年月日万亿元整壹贰佰拾一二十百千分之厘个天息率LPRbp ￥\t\n", max_size=120))
def test_spans_are_what_they_say(text: str) -> None:
    for each in find_candidates(text):
        assert each.text == text[each.start : each.end]
        assert each.norm is not None
        assert not {"\t", "\n"} & set(each.text)


@pytest.mark.slow
@pytest.mark.parametrize("piece", ["1", "壹", " ", "万分之", "1,", "年", "百", "LPR", "一", "壹元", "thirty "])
def test_no_text_takes_long(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    start = time.perf_counter()
    find_candidates(text)
    assert time.perf_counter() - start < 20  # quadratic time would take minutes
