import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.doc_extract.candidate import ValueKind
from services.doc_extract.finders import find_candidates
from services.doc_extract.normal_forms.penalties import normalise_penalty
from services.doc_extract.normal_forms.rates import normalise_rate


@pytest.mark.parametrize(
    ("text", "before", "norm"),
    [
        ("5.6525%", "年利率", "5.6525%/a"),
        ("9.6‰", "月利率", "11.52%/a"),
        ("9.75‰", "1988年9月1日后按新调整利率", "11.7%/a"),
        ("9.9‰", "贷款利率为月", "11.88%/a"),
        ("0.8%", "月利率为", "9.6%/a"),
        ("月息5.3625‰", "", "6.435%/a"),
        ("千分之6.45", "月利率", "7.74%/a"),
        ("日万分之四", "", "14.4%/a(360)"),
        ("万分之五", "每日", "18%/a(360)"),
        ("1.217分", "月息", "14.604%/a"),
        ("月息壹分贰厘", "", "14.4%/a"),
        ("百分之六", "年利率", "6%/a"),
        ("百分之六点五", "年利率", "6.5%/a"),
        ("14.4%／年", "", "14.4%/a"),
        ("LPR加135个基点", "", "LPR1Y+135bp"),
        ("5年期以上LPR-20BP", "", "LPR5Y-20bp"),
        ("1年期LPR加1.35个百分点，即5.60%", "", "LPR1Y+135bp;5.6%/a"),
        ("基准利率上浮15%", "", "benchmark+15%"),
        ("人民银行同期贷款基准利率下浮10%", "", "benchmark-10%"),
        ("1-year LPR plus 135 basis points", "", "LPR1Y+135bp"),
        ("5.65% per annum", "", "5.65%/a"),
    ],
)
def test_rates(text: str, before: str, norm: str) -> None:
    assert normalise_rate(text, before) == norm


@pytest.mark.parametrize("text", ["", "%", "____%", "‰", "利率", "3%至5%", "LP", "加收"])
def test_no_rate_from_what_is_blank_or_indefinite(text: str) -> None:
    assert normalise_rate(text) is None


@pytest.mark.parametrize(
    ("text", "before", "norm"),
    [
        ("加收50%", "", "+50%"),
        ("上浮百分之五十", "", "+50%"),
        ("合同利率的1.5倍", "", "x150%"),
        ("150%", "", "x150%"),
        ("50%", "在贷款利率基础上", "+50%"),
        ("日万分之五", "", "18%/a(360)"),
        ("18%", "按年利率", "18%/a"),
    ],
)
def test_penalties(text: str, before: str, norm: str) -> None:
    assert normalise_penalty(text, before) == norm


@given(st.text("0123456789.%‰万千百分之厘加减上浮LPRbp基点年月日息 ", max_size=40), st.text(max_size=20))
def test_any_text_is_survived(text: str, before: str) -> None:
    normalise_rate(text, before)
    normalise_penalty(text, before)


@pytest.mark.parametrize(
    ("text", "rate"),
    [("月息1分5，借期半年", "18%/a"), ("月息一分五计付", "18%/a"), ("月息壹分贰厘", "14.4%/a"), ("月息2分。", "24%/a")],
)
def test_a_fen_with_its_tenth(text: str, rate: str) -> None:
    assert [each.norm for each in find_candidates(text) if each.kind is ValueKind.RATE] == [rate]
