import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.doc_extract.candidate import ValueKind
from services.doc_extract.finders import find_candidates
from services.doc_extract.schema import FieldNames, FieldSpec, credit
from services.doc_extract.understanding.labelled import Labels

LABELS = Labels(credit().fields)


def found(text: str, labels: Labels = LABELS) -> list[tuple[str, str, str]]:
    return [
        (value.field, text[value.start : value.end], value.norm) for value in labels.values(text, find_candidates(text))
    ]


def test_a_form() -> None:
    text = (
        "授信审批通知书\n借款人\t宏远机械有限公司\t贷款人\t江城银行股份有限公司\n借款金额\t人民币785万元\t贷款期限\t36个月\n"
        "贷款用途：购买原材料。\n还款方式：按月付息，到期还本。"
    )
    assert found(text) == [
        ("borrower", "宏远机械有限公司", "宏远机械有限公司"),
        ("lender", "江城银行股份有限公司", "江城银行股份有限公司"),
        ("amount", "人民币785万元", "7850000.00"),
        ("term", "36个月", "P36M"),
        ("purpose", "购买原材料", "购买原材料"),
        ("repayment_method", "按月付息，到期还本", "interest_first_bullet"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "借款人：＿＿＿＿＿＿\n借款金额：　　万元\n贷款期限：____个月",
        "借款人\t\t借款金额\t\n贷款人\t/\t保证人\t无",
        "借款人：\n宏远机械有限公司的借款金额\n为人民币785万元",
    ],
)
def test_a_blank_stays_blank(text: str) -> None:
    assert found(text) == []


def test_a_bank_adds_its_own_field() -> None:
    own = FieldSpec(
        "green_ratio",
        FieldNames("绿色占比", "Green share"),
        ("绿色占比",),
        ValueKind.RATE,
        required_in=frozenset(),
        review_below=0.5,
        builtin=False,
    )
    assert found("绿色占比：12.5%", Labels([own])) == [("green_ratio", "12.5%", "12.5%/a")]


@given(st.text("借款人金额：\t\n甲公司785万元，。 ()年月", max_size=200))
def test_spans_lie_in_one_cell(text: str) -> None:
    for value in LABELS.values(text, find_candidates(text)):
        assert 0 <= value.start < value.end <= len(text)
        assert not {"\t", "\n"} & set(text[value.start : value.end])
