"""Ways of printing terms and dates."""

from collections.abc import Callable, Mapping
from datetime import date
from random import Random

from training.doc_extract.values.amounts import ANY
from training.doc_extract.values.numerals import PLAIN, han

_MONTHS = ("January February March April May June July August September October November December").split()  # noqa: SIM905  # a sentence is easier to read than twelve quoted words
_ENGLISH = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def term(months: int, form: str, random: Random) -> str:
    """A length of time in one of the forms of the wording guide."""
    if form == ANY:
        form = "years" if months % 12 == 0 and random.random() < 0.5 else "months"
        form = "days" if months < 7 and random.random() < 0.2 else form
    if form == "years" and months % 12:
        form = "months"
    return _TERMS[form](months, random)


def day(value: date, form: str, random: Random) -> str:
    """A date in one of the forms of the wording guide."""
    if form == ANY:
        form = random.choices(("cn", "iso", "upper", "dots", "slash", "parts"), (8, 2, 1, 1, 0.6, 1))[0]
    return _DAYS[form](value, random)


def _months(months: int, random: Random) -> str:
    numerals = (han(months, upper=False), han(months, upper=True))
    return random.choice(
        (f"{months}个月",) * 3 + (f"{numerals[0]}个月", f"{numerals[1]}个月", f"{months} 个月", f"{months}月")
    )


def _years(months: int, random: Random) -> str:
    years = months // 12
    return random.choice((str(years), str(years), han(years, upper=False), han(years, upper=True), f"{years} ")) + "年"


def _days(months: int, random: Random) -> str:
    return random.choice(
        (f"{months * 30}天", f"{months * 30}天", f"{months * 30}日", f"{han(months * 30, upper=False)}天")
    )


def _bare(months: int, random: Random) -> str:
    return random.choice((str(months), str(months), han(months, upper=False), han(months, upper=True)))


def _english_term(months: int, random: Random) -> str:
    years = months // 12
    if months % 12 or random.random() < 0.5:
        return random.choice((f"{months} months", f"{months}-month"))
    words = f"{_ENGLISH[years - 1]} ({years}) years" if years <= len(_ENGLISH) else f"{years} years"
    return random.choice((f"{years} year{'s' if years > 1 else ''}", words))


def _chinese(value: date, random: Random) -> str:
    padded = random.random() < 0.2
    return (
        f"{value.year}年{value.month:02}月{value.day:02}日" if padded else f"{value.year}年{value.month}月{value.day}日"
    )


def _numerals(value: date, random: Random) -> str:
    digits = random.choice("〇〇○零") + PLAIN[1:]
    year = "".join(digits[int(digit)] for digit in str(value.year))
    return f"{year}年{han(value.month, upper=False)}月{han(value.day, upper=False)}日"


def _english_day(value: date, random: Random) -> str:
    name, number = _MONTHS[value.month - 1], value.day
    suffix = "th" if 10 < number % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    usual = f"{name} {number}, {value.year}"
    return random.choice(
        (usual, usual, usual, f"{number} {name} {value.year}", f"{number}{suffix} day of {name}, {value.year}")
    )


def _spread(value: date, random: Random) -> str:
    gap = random.choice((" ", "  ", "　"))
    return f"{value.year}{gap}年{gap}{value.month}{gap}月{gap}{value.day}{gap}日"


_TERMS: Mapping[str, Callable[[int, Random], str]] = {
    "months": _months,
    "years": _years,
    "days": _days,
    "bare": _bare,
    "en": _english_term,
}
_DAYS: Mapping[str, Callable[[date, Random], str]] = {
    "cn": _chinese,
    "iso": lambda value, _: value.isoformat(),
    "upper": _numerals,
    "dots": lambda value, _: f"{value.year}.{value.month}.{value.day}",
    "slash": lambda value, _: f"{value.year}/{value.month}/{value.day}",
    "en": _english_day,
    "parts": _spread,
}
