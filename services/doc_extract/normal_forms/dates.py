"""Calendar dates."""

import re
from datetime import date

from services.doc_extract.normal_forms.folding import compact, tidy
from services.doc_extract.normal_forms.numerals import HAN, number, plain_digits

MONTHS = {
    name: month
    for month, names in enumerate(
        [
            "january,jan",
            "february,feb",
            "march,mar",
            "april,apr",
            "may",
            "june,jun",
            "july,jul",
            "august,aug",
            "september,sept,sep",
            "october,oct",
            "november,nov",
            "december,dec",
        ],
        1,
    )
    for name in names.split(",")
}
_LONGEST = 60
_EARLIEST, _LATEST = 1900, 2199
_CHINESE = re.compile(
    rf"(?:公元)?(?P<year>\d{{4}}|[{HAN}]{{4}})年(?P<month>[\d{HAN}]{{1,3}})月(?P<day>[\d{HAN}]{{1,4}})[日号]"
)
_FIGURES = re.compile(r"(?P<year>\d{4})(?P<sign>[-./年])(?P<month>\d{1,2})[-./月](?P<day>\d{1,2})")
_COMPACT = re.compile(r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)")
_MONTH = "(?P<month>" + "|".join(sorted(MONTHS, key=len, reverse=True)) + ")"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_AMERICAN = re.compile(rf"{_MONTH}\.? ?{_DAY},? ?(?P<year>\d{{4}})", re.IGNORECASE)
_BRITISH = re.compile(rf"{_DAY} ?(?:day of )?{_MONTH}\.?,? ?(?P<year>\d{{4}})", re.IGNORECASE)


def normalise_date(text: str) -> str | None:
    """A date as ISO 8601, "2023-01-09".

    Args:
        text: The date in Chinese or English words, in figures or in Chinese numerals.

    Returns:
        The date; None where the text is not one complete, real date between 1900 and 2199.
    """
    if len(text) > _LONGEST:
        return None
    close = compact(text)
    found = _CHINESE.fullmatch(close) or _FIGURES.fullmatch(close) or _COMPACT.fullmatch(close)
    if found:
        year, month, day = plain_digits(found["year"]), number(found["month"]), number(found["day"])
        if year is None or month is None or day is None:
            return None
        return _iso(int(year), int(month), int(day))
    words = tidy(text)
    found = _AMERICAN.fullmatch(words) or _BRITISH.fullmatch(words)
    return _iso(int(found["year"]), MONTHS[found["month"].lower()], int(found["day"])) if found else None


def _iso(year: int, month: int, day: int) -> str | None:
    if not _EARLIEST <= year <= _LATEST:
        return None
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None
