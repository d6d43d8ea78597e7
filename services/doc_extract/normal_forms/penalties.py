"""Penalty rates (罚息): what is added to the contract's rate, or takes its place."""

import re
from decimal import Decimal

from services.doc_extract.normal_forms.folding import compact
from services.doc_extract.normal_forms.numerals import HAN, number, plain_figure
from services.doc_extract.normal_forms.rates import normalise_rate

_LONGEST = 160
_SHARE = rf"(?:(?:\d{{1,3}}(?:\.\d{{1,4}})?)[%％]|百分之(?:[{HAN}]{{1,6}}|\d{{1,3}}))"
_PLUS = re.compile(rf"(?:加收|上浮|加计|另加|上调|加罚|提高|浮动|加|\+).{{0,6}}?(?P<share>{_SHARE})")
_TIMES = re.compile(rf"(?P<factor>\d(?:\.\d{{1,2}})?|[{HAN}])倍")
_ALONE = re.compile(rf"(?P<share>{_SHARE})(?:计收|计算|执行|计)?$")
_PERIOD = re.compile(r"[日天月年]|‰|分(?!之)|厘|万分之|annum")
_PERIOD_BEFORE = re.compile(r"[年月日]")


def normalise_penalty(text: str, before: str = "") -> str | None:
    """A penalty rate as "+50%" or "x150%" of the contract's rate, or as an annual rate.

    Args:
        text: As printed: 加收50%, 上浮百分之五十, 合同利率的1.5倍, 150%, 日万分之五, 年利率18%.
        before: What stands before it, for the period of a plain figure.

    Returns:
        The normal form; a bare percentage of 100 and more is a multiple, one below 100 an addition unless a period
        stands before it; None where the text is none of these.
    """
    if len(text) > _LONGEST:
        return None
    body = compact(text)
    plus = _PLUS.search(body)
    if plus:
        return _printed(_percent(plus["share"]), "+")
    times = _TIMES.search(body)
    if times:
        factor = number(times["factor"])
        return _printed(None if factor is None else factor * 100, "x")
    alone = _ALONE.search(body)
    if not alone or _PERIOD.search(body) or _PERIOD_BEFORE.search(compact(before)[-6:]):
        return normalise_rate(text, before)
    share = _percent(alone["share"])
    return _printed(share, "x" if share is not None and share >= 100 else "+")


def _percent(share: str) -> Decimal | None:
    return number(share.removeprefix("百分之").rstrip("%％"))


def _printed(percent: Decimal | None, sign: str) -> str | None:
    if percent is None:
        return None
    return f"{sign}{plain_figure(percent)}%"
