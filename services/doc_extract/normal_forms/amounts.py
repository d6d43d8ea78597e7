"""Amounts of money."""

import re
from decimal import ROUND_HALF_UP, Decimal

from services.doc_extract.normal_forms.currencies import take_currency
from services.doc_extract.normal_forms.english import english_number
from services.doc_extract.normal_forms.folding import compact, fold
from services.doc_extract.normal_forms.numerals import number

_LONGEST = 120
_LIMIT = Decimal(10) ** 18
_CENT = Decimal("0.01")
_LABEL = re.compile(r"^(?:大写|小写|金额|本金|合计|共计|总计|计|为|[:()])+")
_TAIL = re.compile(r"(?:[整正]|元整|\(?(?:大写|小写)\)?|\))+$")
_FORM = re.compile(
    r"(?:(?P<yuan>[^元圆園圓块角毛分]+)(?P<unit>[元圆園圓块])?(?:钱|整|正)?)?"
    r"(?:(?P<jiao>[^元圆園圓块角毛分]{1,2})[角毛])?(?:(?P<fen>[^元圆園圓块角毛分]{1,2})分)?钱?"
)
_SHORT = re.compile(r"(?P<figure>\d[\d,.]*)(?P<unit>k|w)$", re.IGNORECASE)
_ENGLISH = re.compile(r"(?:hundred|thousand|million|billion|mn|bn)", re.IGNORECASE)
_GLUED = re.compile(r"(?<=\d)(?=[A-Za-z])|(?<=[A-Za-z])(?=\d)")
_CURRENCY_WORDS = re.compile(
    r"(?:u\.?s\.? ?dollars?|dollars?|euros?|yuan|renminbi|rmb|cny|usd|eur|gbp|hkd|jpy|us\$|hk\$|[¥$€£])", re.IGNORECASE
)
_HINT = re.compile(r"(?P<scale>百万|千万|万|亿|千|million|billion|thousand)", re.IGNORECASE)
_SCALES = {
    "千": 10**3,
    "万": 10**4,
    "百万": 10**6,
    "千万": 10**7,
    "亿": 10**8,
    "thousand": 10**3,
    "million": 10**6,
    "billion": 10**9,
    "k": 10**3,
    "w": 10**4,
}
_SCALED = re.compile(r"[十拾百佰千仟万萬亿億元圆園圓块]|million|billion|thousand|mn|bn", re.IGNORECASE)


def normalise_amount(text: str, unit_hint: str = "") -> str | None:
    """An amount as "7850000.00", with its ISO 4217 code behind where it is not in renminbi: "1000000.00 USD".

    Args:
        text: The amount with whatever unit and currency it is printed with.
        unit_hint: What says the unit where the amount does not: 万元, 美元, 单位：万元, RMB million.

    Returns:
        The normal form; None where the text does not name exactly one definite amount. More than two decimals are
        rounded half up.
    """
    if len(text) > _LONGEST:
        return None
    taken = take_currency(compact(text))
    if taken is None:
        return None
    body, currency = taken
    value = _value(body, fold(text))
    if value is None:
        return None
    if unit_hint and not _SCALED.search(body):
        scale = _HINT.search(fold(unit_hint))
        value *= _SCALES[scale["scale"].lower()] if scale else 1
    if unit_hint and currency == "CNY":
        hinted = take_currency(compact(unit_hint))
        currency = hinted[1] if hinted else currency
    if value >= _LIMIT:
        return None
    figure = str(value.quantize(_CENT, ROUND_HALF_UP))
    return figure if currency == "CNY" else f"{figure} {currency}"


def _value(body: str, printed: str) -> Decimal | None:
    if _ENGLISH.search(body):
        return english_number(_GLUED.sub(" ", _CURRENCY_WORDS.sub(" ", printed)))
    body = _TAIL.sub("", _LABEL.sub("", body))
    short = _SHORT.fullmatch(body)
    if short:
        figure = number(short["figure"])
        return None if figure is None else figure * _SCALES[short["unit"].lower()]
    form = _FORM.fullmatch(body)
    if not form or not any(form.group("yuan", "jiao", "fen")):
        return None
    total = Decimal(0)
    for part, worth in (("yuan", Decimal(1)), ("jiao", Decimal("0.1")), ("fen", _CENT)):
        if form[part]:
            value = number(form[part])
            if value is None:
                return None
            total += value * worth
    return total
