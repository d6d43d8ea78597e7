"""Lengths of time."""

import re
from decimal import Decimal

from services.doc_extract.normal_forms.english import english_number
from services.doc_extract.normal_forms.folding import compact, tidy
from services.doc_extract.normal_forms.numerals import HAN, number

_LONGEST = 60
_LABEL = re.compile(r"^(?:(?:贷款|借款|授信|融资|额度)?期限|期|共计|共|计|为|:|\()+")
_TAIL = re.compile(r"(?:以内|之内|[内整期)])+$")
_N = rf"[\d.{HAN}]{{1,8}}"
_FORM = re.compile(
    rf"(?:(?P<years>{_N}|半)(?:周年|个?年)(?P<half>半)?)?(?:零|又|加)?(?:(?P<quarters>{_N})个?季度?)?"
    rf"(?:(?P<months>{_N})(?:个?月|個月))?(?:零|又|加)?"
    rf"(?:(?P<weeks>{_N})(?:周|个?星期))?(?:(?P<days>{_N})(?:[天日]|个日历日))?"
)
_ENGLISH = re.compile(
    r"(?P<figure>[a-z0-9 .-]{1,40}?)(?: ?\(\d+\))?[ -]?(?P<unit>years?|months?|weeks?|days?)(?P<half> and a half)?",
    re.IGNORECASE,
)
_MONTHS_OF = {"years": 12, "quarters": 3, "months": 1}
_DAYS_OF = {"weeks": 7, "days": 1}
_HINT = re.compile(r"年|个?月|天|日|years?|months?|days?")
_BARE = re.compile(rf"[\d.{HAN}]{{1,8}}")


def normalise_term(text: str, unit_hint: str = "") -> str | None:
    """A length of time as an ISO 8601 duration in months and days: "P36M", "P90D".

    Args:
        text: The term with its unit.
        unit_hint: What says the unit where the text is a number alone: 个月, 期限（月）, months.

    Returns:
        The duration; None where the text is no definite one of whole months or days, or nothing long.
    """
    if len(text) > _LONGEST:
        return None
    body = _TAIL.sub("", _LABEL.sub("", compact(text)))
    if _BARE.fullmatch(body) and unit_hint:
        units = _HINT.findall(compact(unit_hint))
        body += units[-1] if units else ""
    form = _FORM.fullmatch(body)
    if form:
        return _duration(form)
    english = _ENGLISH.fullmatch(tidy(body if body.isascii() and unit_hint else text))
    return _english(english) if english else None


def _duration(form: re.Match[str]) -> str | None:
    parts: dict[str, Decimal] = {}
    for name in (*_MONTHS_OF, *_DAYS_OF):
        if form[name]:
            value = Decimal("0.5") if form[name] == "半" else number(form[name])
            if value is None:
                return None
            parts[name] = value
    if form["half"] and "years" in parts:
        parts["years"] += Decimal("0.5")
    return _iso(
        sum((parts.get(name, Decimal(0)) * worth for name, worth in _MONTHS_OF.items()), Decimal(0)),
        sum((parts.get(name, Decimal(0)) * worth for name, worth in _DAYS_OF.items()), Decimal(0)),
    )


def _english(found: re.Match[str]) -> str | None:
    value = english_number(found["figure"])
    if value is None:
        return None
    value += Decimal("0.5") if found["half"] else 0
    unit = found["unit"].lower().rstrip("s") + "s"
    return _iso(value * _MONTHS_OF.get(unit, 0), value * _DAYS_OF.get(unit, 0))


def _iso(months: Decimal, days: Decimal) -> str | None:
    if months != int(months) or days != int(days) or not 0 < months + days < 10**6:
        return None
    return "P" + (f"{int(months)}M" if months else "") + (f"{int(days)}D" if days else "")
