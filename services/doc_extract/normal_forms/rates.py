"""Interest rates, as annual rates or as the rule by which they float."""

import re
from decimal import Decimal

from services.doc_extract.normal_forms.folding import compact
from services.doc_extract.normal_forms.numerals import HAN, number, plain_figure

_LONGEST = 160
_N = r"\d{1,3}(?:\.\d{1,8})?"
_HAN_N = rf"[{HAN}点]{{1,10}}"

_FIGURE = re.compile(
    rf"(?P<percent>{_N})(?:%|％|percent)|百分之(?P<han_percent>{_N}|{_HAN_N})"
    rf"|(?P<permille>{_N})‰|千分之(?P<han_permille>{_N}|{_HAN_N})"
    rf"|万分之(?P<myriad>{_N}|{_HAN_N})|(?P<bp>{_N})‱"
    rf"|(?P<fen>{_N}|{_HAN_N})分(?:(?P<li>{_N}|[{HAN}])(?:厘|$))?|(?P<only_li>{_N}|{_HAN_N})厘",
    re.IGNORECASE,
)
_PERIODS = (
    ("day", re.compile(r"日息|日利|每日|按日|每天|/日|/天|daily|perday", re.IGNORECASE)),
    ("month", re.compile(r"月息|月利|每月|按月计|/月|monthly|permonth", re.IGNORECASE)),
    ("year", re.compile(r"年息|年利|年化|每年|/年|perannum|p\.a\.|annual|ayear|/a$", re.IGNORECASE)),
)
_LETTERS = {"日": "day", "月": "month", "年": "year"}
"""Right before a figure, as in 月9.6‰, or at the beginning of the value."""
_LPR = re.compile(r"LPR|贷款市场报价利率|贷款基础利率|loanprimerate", re.IGNORECASE)
_FIVE_YEARS = re.compile(r"(?:5|五)年期?以?上?|5-?year|five-?year|5Y", re.IGNORECASE)
_SPREAD = re.compile(
    rf"(?P<sign>加|减|上浮|下浮|[+\-－﹢﹣]|plus|minus)[点数值上为]{{0,4}}"
    rf"(?P<figure>{_N})(?P<unit>个?基点|bps?|basispoints?|个?百分点|%|％)",
    re.IGNORECASE,
)
_DOWN = re.compile(r"[-－﹣减下]|minus|下浮", re.IGNORECASE)
_UP_OR_DOWN = r"(?:(?:上浮|上调|加)|(?P<down>下浮|下调|减))"
_BENCHMARK = re.compile(
    rf"(?:基准|挂牌|同期|同档次|法定|央行|人民银行).{{0,30}}?{_UP_OR_DOWN}"
    rf"(?:比例为?|幅度为?)?(?P<figure>{_N}|百分之{_HAN_N})%?"
)
_RELATIVE = re.compile(rf"{_UP_OR_DOWN}(?P<figure>{_N})%")
_MONTHS = Decimal(12)
_DAYS = Decimal(360)
_LIMIT = Decimal(1000)


def normalise_rate(text: str, before: str = "") -> str | None:
    """A rate in its normal form.

    Args:
        text: The rate as printed: 5.6525%, 月息9.6‰, 日万分之四, 1.2分, LPR加135个基点, 基准利率上浮15%.
        before: What stands before it, for the period: a label such as 月利率. Without one a figure in ‰, 分 or 厘 is a
            monthly rate and one in 万分之 a daily rate, as Chinese lenders print them; percentages are annual.

    Returns:
        "5.6525%/a"; "14.4%/a(360)" from a daily rate, on 360 days; "LPR1Y+135bp", with what is stated beside it as
        "LPR1Y+135bp;5.60%/a"; "benchmark+15%"; None where the text is no definite rate.
    """
    if len(text) > _LONGEST:
        return None
    body = compact(text)
    if _LPR.search(body):
        return _floating(body)
    relative = _BENCHMARK.search(body) or _RELATIVE.search(body)
    if relative:
        return _relative(relative)
    if re.search(r"上浮|下浮|plus|minus", body, re.IGNORECASE):
        return None
    figures = list(_FIGURE.finditer(body))
    return _annual(figures[0], body, compact(before)[-12:]) if len(figures) == 1 else None


def _annual(found: re.Match[str], body: str, before: str) -> str | None:
    percent, usual = _percent(found)
    if percent is None:
        return None
    period = _period(body) or _period_before(before) or usual
    if period == "day":
        return f"{plain_figure(percent * _DAYS)}%/a(360)"
    yearly = percent * _MONTHS if period == "month" else percent
    return f"{plain_figure(yearly)}%/a" if yearly < _LIMIT else None


def _percent(found: re.Match[str]) -> tuple[Decimal | None, str]:
    """The figure in per cent, and the period that it is usually for."""
    for name, scale, period in (
        ("percent", Decimal(1), "year"),
        ("han_percent", Decimal(1), "year"),
        ("permille", Decimal("0.1"), "month"),
        ("han_permille", Decimal("0.1"), "month"),
        ("myriad", Decimal("0.01"), "day"),
        ("bp", Decimal("0.01"), "day"),
        ("only_li", Decimal("0.1"), "month"),
    ):
        if found[name]:
            value = _number(found[name])
            return (None if value is None else value * scale), period
    fen, li = _number(found["fen"]), _number(found["li"] or "0")
    return (None if fen is None or li is None else fen + li / 10), "month"


def _period(text: str) -> str:
    named = next((name for name, pattern in _PERIODS if pattern.search(text)), "")
    return named or _LETTERS.get(text[:1], "")


def _period_before(before: str) -> str:
    """The period that the words before name, the nearest where they name several."""
    if before[-1:] in _LETTERS:
        return _LETTERS[before[-1]]
    places = {name: max((found.end() for found in pattern.finditer(before)), default=-1) for name, pattern in _PERIODS}
    nearest = max(places, key=lambda name: places[name])
    return nearest if places[nearest] >= 0 else ""


def _floating(body: str) -> str | None:
    tenor = "5Y" if _FIVE_YEARS.search(body) else "1Y"
    spread = _SPREAD.search(body)
    rule = f"LPR{tenor}"
    if spread:
        sign, figure, unit = spread.group("sign", "figure", "unit")
        points = Decimal(figure) * (1 if re.search(r"基点|b", unit, re.IGNORECASE) else 100)
        if points:
            rule += f"{'-' if _DOWN.search(sign) else '+'}{plain_figure(points)}bp"
        body = body[: spread.start()] + body[spread.end() :]
    stated = [found for found in _FIGURE.finditer(body) if found["percent"]]
    return f"{rule};{plain_figure(Decimal(stated[-1]['percent']))}%/a" if stated else rule


def _relative(found: re.Match[str]) -> str | None:
    value = _number(found["figure"].removeprefix("百分之"))
    if value is None:
        return None
    return f"benchmark{'-' if found['down'] else '+'}{plain_figure(value)}%"


def _number(text: str) -> Decimal | None:
    whole, point, decimals = text.partition("点")
    if not point:
        return number(text)
    left, right = number(whole), [number(letter) for letter in decimals]
    if left is None or not right or None in right:
        return None
    return left + Decimal("0." + "".join(str(digit) for digit in right))
