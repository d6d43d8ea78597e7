"""Ways of printing interest rates and penalty rates."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from random import Random

from services.doc_extract.normal_forms.numerals import plain_figure
from training.doc_extract.values.amounts import ANY
from training.doc_extract.values.numerals import PLAIN, decimal

_SHARES = (5, 10, 15, 20, 30, 40, 45, 50, 60, 70, 80, 100, 130)
_ADDED = {20: "二十", 30: "三十", 40: "四十", 50: "五十", 100: "一百"}


def rate(annual: Decimal, spread: int, form: str, random: Random) -> str:
    """A rate in one of the forms of the wording guide.

    Args:
        annual: In per cent.
        spread: Basis points over LPR.
        form: The form.
        random: Source of chance.
    """
    if form == ANY:
        forms = ("annual", "monthly", "monthly_fen", "daily", "lpr", "benchmark", "float")
        form = random.choices(forms, (8, 6, 1.5, 1, 2, 1, 1))[0]
    if form == "lpr":
        return _floating(spread, random)
    if form == "lpr_en":
        unit = random.choice(("basis points", "bps", "bp"))
        sign = "plus" if spread >= 0 else "minus"
        return f"{random.choice(('1-year', '5-year', 'one-year'))} LPR {sign} {abs(spread)} {unit}"
    return _FORMS.get(form, _annual)(annual, random)


def penalty(form: str, random: Random) -> str:
    """A penalty rate in one of the forms of the wording guide."""
    if form == ANY:
        form = random.choices(("plus", "times", "annual", "daily", "bare_percent"), (5, 1, 1, 1, 1))[0]
    share = random.choice((20, 30, 40, 50, 50, 50, 100))
    if form == "annual":
        return f"{random.choice((18, 24, 15, 12, 9.6, 14.4, 7.83, 13.05))}%"
    if form == "daily":
        words = (
            "日万分之五",
            "万分之五",
            "日万分之三",
            "每日万分之五",
            "日万分之四",
            "日0.05%",
            "万分之二点一",
            "日万分之2.1",
        )
        return random.choice(words)
    if form == "times":
        return random.choice((f"{100 + share}%", f"{(100 + share) / 100:g}倍"))
    if form == "bare_percent":
        return f"{share}{random.choice('%％')}"
    lead = random.choice(("加收", "加收", "加收", "上浮"))
    return lead + random.choice((f"{share}%", f"{share}%", f"{share}％", f"百分之{_ADDED[share]}"))


def _annual(annual: Decimal, random: Random) -> str:
    figure = _decimals(annual, random)
    usual = f"{figure}{random.choice('%%%％')}"
    return random.choice((usual,) * 6 + (f"{figure}%/年", f"百分之{decimal(annual)}"))


def _monthly(annual: Decimal, random: Random) -> str:
    figure = _decimals((annual * 10 / 12).quantize(Decimal("0.0001")), random)
    return random.choice((f"{figure}‰",) * 6 + (f"千分之{figure}", f"千分之{decimal(Decimal(figure))}"))


def _fen(annual: Decimal, random: Random) -> str:
    tenths = max(5, round(float(annual) * 10 / 12))
    whole, rest = divmod(tenths, 10)
    words = (f"{PLAIN[whole]}分" if whole in range(1, 10) else "") + (f"{PLAIN[rest]}厘" if rest else "")
    return random.choice((f"{tenths / 10:g}分", words, words.translate(str.maketrans("一二三四五", "壹贰叁肆伍"))))


def _daily(_: Decimal, random: Random) -> str:
    figure = random.choice(("5", "4", "3", "2.5", "1.5", "2", "3.5"))
    word = {"5": "五", "4": "四", "3": "三", "2": "二"}.get(figure, figure)
    return random.choice((f"日万分之{word}", f"万分之{word}", f"万分之{figure}", f"每日万分之{word}"))


def _benchmark(annual: Decimal, random: Random) -> str:
    leads = (
        "基准利率",
        "人民银行同期贷款基准利率",
        "中国人民银行公布的同期同档次贷款基准利率",
        "同期基准利率",
        "央行基准利率",
    )
    return random.choice(leads) + random.choice(("", "的基础上", "基础上")) + _relative(annual, random)


def _relative(_: Decimal, random: Random) -> str:
    return f"{random.choice(('上浮', '上浮', '下浮', '上调'))}{random.choice(_SHARES)}{random.choice('%％')}"


def _english(annual: Decimal, random: Random) -> str:
    figure = _decimals(annual, random)
    return figure + random.choice(("% per annum", "%", " percent per annum", "% p.a.", " per cent. per annum"))


def _floating(spread: int, random: Random) -> str:
    tenor = random.choice(("1年期", "一年期", "5年期以上", "五年期以上", "1年期", "同期", ""))
    name = random.choice(("LPR", "LPR", "LPR", "贷款市场报价利率", "贷款市场报价利率（LPR）"))
    sign = random.choice(("加", "+", "上浮", "加上") if spread >= 0 else ("减", "-", "下浮"))
    unit = random.choice(("个基点", "BP", "bp", "基点", "个基点", "BPs"))
    return f"{tenor}{name}{random.choice(('', '', '的基础上'))}{sign}{abs(spread)}{unit}"


def _decimals(value: Decimal, random: Random) -> str:
    return plain_figure(value) if random.random() < 0.6 else f"{value:.{random.choice((2, 2, 3, 4))}f}"


_FORMS: Mapping[str, Callable[[Decimal, Random], str]] = {
    "annual": _annual,
    "monthly": _monthly,
    "monthly_fen": _fen,
    "daily": _daily,
    "benchmark": _benchmark,
    "float": _relative,
    "en": _english,
}
