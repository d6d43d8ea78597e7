from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.doc_extract.normal_forms.amounts import normalise_amount


@pytest.mark.parametrize(
    ("text", "norm"),
    [
        ("7850000元", "7850000.00"),
        ("￥23,500,000.00元", "23500000.00"),
        ("1，560，000.00元", "1560000.00"),
        ("１５０万元", "1500000.00"),
        ("人民币 150 万元", "1500000.00"),
        ("1.2亿元", "120000000.00"),
        ("3亿5000万元", "350000000.00"),
        ("贰仟叁佰伍拾万元整", "23500000.00"),
        ("人民币（大写）柒佰捌拾伍万元整", "7850000.00"),
        ("壹佰贰拾叁万肆仟伍佰陆拾柒元捌角玖分", "1234567.89"),
        ("壹十八万元", "180000.00"),
        ("一百万元", "1000000.00"),
        ("200万美元", "2000000.00 USD"),
        ("US$1,000,000.00", "1000000.00 USD"),
        ("RMB 7.85 million", "7850000.00"),
        ("港币叁佰万元", "3000000.00 HKD"),
    ],
)
def test_spellings(text: str, norm: str) -> None:
    assert normalise_amount(text) == norm


@pytest.mark.parametrize(
    "text", ["", "万元", "＿＿万元", "人民币（大写）", "元整", "1,23元", "八九亿元", "若干元", "￥"]
)
def test_no_value_from_what_is_blank_or_indefinite(text: str) -> None:
    assert normalise_amount(text) is None


def test_the_unit_may_stand_in_the_label() -> None:
    assert normalise_amount("785", "金额（万元）") == "7850000.00"
    assert normalise_amount("785", "金额：万美元") == "7850000.00 USD"
    assert normalise_amount("785万元", "金额（万元）") == "7850000.00"


_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_UNITS = ("", "拾", "佰", "仟")


def _section(value: int) -> str:
    """A number below ten thousand as a cheque says it."""
    words, zero = "", False
    for place in (3, 2, 1, 0):
        digit = value // 10**place % 10
        if digit:
            words += ("零" if zero else "") + _DIGITS[digit] + _UNITS[place]
            zero = False
        else:
            zero = bool(words)
    return words


def _in_words(value: int) -> str:
    words = ""
    for unit, size in (("亿", 10**8), ("万", 10**4), ("", 1)):
        section = value // size % 10**4
        if section:
            words += ("零" if words and section < 1000 else "") + _section(section) + unit
    return words


@given(st.integers(1, 10**11))
def test_words_and_figures_agree(value: int) -> None:
    assert normalise_amount(f"人民币{_in_words(value)}元整") == normalise_amount(f"￥{value:,}.00元") == f"{value}.00"


@given(st.decimals(Decimal("0.01"), Decimal(10**12), places=2))
def test_every_print_of_a_figure_comes_back(value: Decimal) -> None:
    norm = f"{value:.2f}"
    wide = f"{value:,}".translate(
        {ord(half): full for half, full in zip("0123456789,", "０１２３４５６７８９，", strict=True)}
    )
    for text in (f"{value}元", f"人民币{value:,}元", f"{wide}元", f"¥{value}"):
        assert normalise_amount(text) == norm
    assert normalise_amount(norm) == norm


@given(st.text(max_size=60))
def test_any_text_is_survived(text: str) -> None:
    normalise_amount(text, text)
