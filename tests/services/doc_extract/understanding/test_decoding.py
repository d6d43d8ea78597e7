import numpy as np
import pytest

from services.doc_extract.finders import find_candidates
from services.doc_extract.understanding.decoding import decode
from services.doc_extract.understanding.roles import Roles
from services.doc_extract.understanding.rows import Surroundings
from tests.services.doc_extract.understanding.tagging import FIELDS, tagged


def decoded(text: str, values: dict[str, str], sure: float = 0.9) -> list[tuple[str, str, str | None]]:
    found = decode(
        text, tagged(text, values, sure), find_candidates(text), FIELDS, Surroundings(text, {"金额", "期限"})
    )
    return [(value.field, text[value.start : value.end], value.norm) for value in found]


def test_a_figure_keeps_its_own_limits_whatever_tokens_are_tagged() -> None:
    assert decoded("借款金额人民币785万元整，注册资本100万元", {"785万": "amount"}) == [
        ("amount", "人民币785万元整", "7850000.00")
    ]


def test_names_and_texts_end_where_their_tags_and_their_cell_end() -> None:
    text = "保证人：宏远公司、\n张三。用途：购买\t原材料"
    assert decoded(text, {"宏远公司、": "guarantor", "张三": "guarantor", "购买\t原材料": "purpose"}) == [
        ("guarantor", "宏远公司", "宏远公司"),
        ("guarantor", "张三", "张三"),
        ("purpose", "购买", "购买"),
    ]


def test_a_name_has_one_role() -> None:
    assert decoded("江城宏远公司借款", {"江": "lender", "城宏远公司": "borrower"}) == [
        ("borrower", "江城宏远公司", "江城宏远公司")
    ]


def test_names_in_a_row_are_told_one_by_one() -> None:
    found = decoded("由张三、李四担保", {"张三、李四": "guarantor"})
    assert [text for _, text, _ in found] == ["张三", "李四"]


@pytest.mark.parametrize(
    ("tagged_words", "value"), [("2014）借字第9号", "（2014）借字第9号"), ("借字第9号（", "借字第9号")]
)
def test_brackets_come_in_pairs(tagged_words: str, value: str) -> None:
    text = f"编号{'（' if tagged_words.startswith('2014') else ''}{tagged_words}，"
    assert [words for _, words, _ in decoded(text, {tagged_words: "contract_no"})] == [value]


def test_a_full_stop_belongs_to_an_abbreviation_and_not_to_a_sentence() -> None:
    assert (
        decoded("between Harbor Foods Inc. and others", {"Harbor Foods Inc": "borrower"})[0][1] == "Harbor Foods Inc."
    )
    assert decoded("borrowed by Harbor Foods.", {"Harbor Foods.": "borrower"})[0][1] == "Harbor Foods"


def test_a_figure_without_a_form_is_taken_with_the_unit_before_it() -> None:
    assert decoded("金额（万元）：785；", {"785": "amount"}) == [("amount", "785", "7850000.00")]


@pytest.mark.parametrize(("above", "head"), [("", "金额（万元）"), ("单位：万元\n", "金额")])
def test_a_figure_in_a_column_is_taken_with_the_unit_above_it(above: str, head: str) -> None:
    text = f"{above}{head}\t期限\n785\t36个月"
    assert decoded(text, {"785": "amount"}) == [("amount", "785", "7850000.00")]


def test_a_blank_is_no_value() -> None:
    assert decoded("借款人：＿＿＿＿，期限：    个月", {"＿＿＿＿": "borrower", "    个月": "term"}) == []


@pytest.mark.parametrize("blank", ["（ 年）第 号", "字第", "　年　月　日"])
def test_what_is_left_of_a_blank_number_is_no_value(blank: str) -> None:
    assert decoded(f"合同编号：{blank}；", {blank: "contract_no"}) == []


def test_a_penalty_may_have_the_form_of_a_rate() -> None:
    assert decoded("逾期按年利率18%计收罚息", {"18%": "penalty_rate"}) == [("penalty_rate", "18%", "18%/a")]


@pytest.mark.parametrize("sure", [0.0, 0.1])
def test_what_is_unlikely_is_not_told(sure: float) -> None:
    assert decoded("借款人：张三，金额100万元", {"张三": "borrower", "100万元": "amount"}, sure) == []


def test_a_text_without_tokens_has_no_values() -> None:
    none = np.empty((0, len(FIELDS)), np.float32)
    roles = Roles(np.empty(0, np.int32), np.empty(0, np.int32), none, none)
    assert decode("100万元", roles, find_candidates("100万元"), FIELDS, Surroundings("100万元", set())) == []
