"""Stated rates against the rules beside them."""

import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Literal

from services.doc_extract.checks.facts import Facts
from services.doc_extract.normal_forms.lpr import lpr_on
from services.doc_extract.normal_forms.numerals import plain_figure
from services.doc_extract.result import Finding

_RULE = re.compile(r"LPR(?P<tenor>1Y|5Y)(?P<spread>[+-][\d.]+)?(?:bp)?(?:;(?P<stated>[\d.]+)%/a)?")
_PLAIN = re.compile(r"(?P<percent>[\d.]+)%/a(?P<daily>\(360\))?")
_TOLERANCE = Decimal("0.011")
"""Percentage points: what rounding to two decimals, once each way, can come to."""
_BESIDE = 40
"""Characters between two prints of one rate."""


def check_rates(facts: Facts) -> Iterator[Finding]:
    """rate_mismatch: a stated rate that is not LPR plus its spread on the document's day, or two prints that differ."""
    for place in facts.of("rate"):
        rule = _RULE.fullmatch(facts.norm(place))
        if rule:
            yield from _floating(facts, place, rule)
    plain = [place for place in facts.of("rate") if _PLAIN.fullmatch(facts.norm(place))]
    for one, other in pairwise(plain):
        periods = {_period(facts.values[each].text) for each in (one, other)}
        if len(periods) == 2 and facts.distance(one, other) <= _BESIDE:
            yield from _compared(facts, one, other, _percent(facts.norm(one)), _percent(facts.norm(other)))


def _floating(facts: Facts, place: int, rule: re.Match[str]) -> Iterator[Finding]:
    days = facts.of("sign_date") or facts.of("start_date")
    if not days:
        return
    tenor: Literal["1Y", "5Y"] = "5Y" if rule["tenor"] == "5Y" else "1Y"
    base = lpr_on(facts.day(days[0]), tenor)
    if base is None:
        return
    expected = base + Decimal(rule["spread"] or 0) / 100
    if rule["stated"]:
        yield from _compared(facts, place, days[0], Decimal(rule["stated"]), expected)
        return
    stated = [
        other
        for other in facts.of("rate")
        if _PLAIN.fullmatch(facts.norm(other)) and facts.distance(place, other) <= _BESIDE
    ]
    if stated:
        yield from _compared(facts, place, stated[0], expected, _percent(facts.norm(stated[0])))


def _compared(facts: Facts, one: int, other: int, first: Decimal, second: Decimal) -> Iterator[Finding]:
    if abs(first - second) > _TOLERANCE:
        texts = f"{facts.values[one].text} and {facts.values[other].text}"
        yield Finding(
            "rate_mismatch", f"{texts}: {plain_figure(first)}% a year is not {plain_figure(second)}%", (one, other)
        )


def _percent(norm: str) -> Decimal:
    found = _PLAIN.fullmatch(norm)
    if not found:
        raise ValueError(norm)
    return Decimal(found["percent"])


def _period(text: str) -> str:
    """What a rate is printed per: different prints of one rate are worth comparing, equal ones are different rates."""
    return next((sign for sign in ("‰", "千分", "万分", "分", "厘") if sign in text), "%")
