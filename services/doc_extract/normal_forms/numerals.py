"""Numbers in Arabic, Chinese and financial (大写) numerals, and in mixtures such as 3亿5000万."""

import re
from decimal import Decimal

from services.doc_extract.normal_forms.folding import compact

ARABIC = r"(?:\d{1,3}(?:, ?\d{3}){1,6}|\d{1,20})(?:\. ?\d{1,8})?"
"""A figure with or without thousands separators, in folded text."""
DIGITS = dict(
    zip(
        "〇零一壹弌二贰貳弍两兩三叁參叄弎四肆五伍六陆陸七柒八捌九玖",
        map(int, "00111222222333334455666778899"),
        strict=True,
    )
)
SMALL_UNITS = {"十": 10, "拾": 10, "廿": 20, "卅": 30, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
LARGE_UNITS = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
HAN = "".join([*DIGITS, *SMALL_UNITS, *LARGE_UNITS])
"""Every character of Chinese numerals, for a character class."""

_LONGEST = 40
_FINANCIAL = frozenset("壹贰貳叁參叄肆伍陆陸柒捌玖拾佰仟")
_TOKEN = re.compile(r"\d+(?:\.\d+)?|.")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
_FIGURES = re.compile(r"\d[\d,.]*")
_PLAIN = {ord(letter): str(digit) for letter, digit in DIGITS.items()}


def plain_digits(text: str) -> str | None:
    """Digits written one after the other, 二〇二三 or 2023, as Arabic ones; None where anything else is in between."""
    digits = compact(text).translate(_PLAIN)
    return digits if digits.isascii() and digits.isdigit() else None


def plain_figure(value: Decimal) -> str:
    """A number without exponent and without zeros at the end of its decimals."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def number(text: str) -> Decimal | None:
    """Reads a number, whichever numerals it is written in.

    A last digit without its unit counts tenths of the unit before it in everyday numerals (一万二 is 12000), ones in
    financial numerals. Digits in a row before a unit (八九亿: eight or nine hundred million) name no definite number.

    Args:
        text: The number alone; width and white space do not matter.

    Returns:
        The number, or None where the text is not exactly one definite number.
    """
    folded = compact(text)
    if not folded or len(folded) > _LONGEST:
        return None
    for figure in _FIGURES.findall(folded):
        if not _GROUPED.fullmatch(figure):
            return None
    digits = plain_digits(folded)
    if digits is not None:
        return Decimal(digits)
    reading = _Reading(financial=not _FINANCIAL.isdisjoint(folded))
    for token in _TOKEN.findall(folded.replace(",", "")):
        if not reading.take(token):
            return None
    return reading.total()


class _Reading:
    """A number being read from its highest unit to its lowest."""

    def __init__(self, *, financial: bool) -> None:
        self._financial = financial
        self._large = Decimal(0)  # what large units have closed
        self._section = Decimal(0)  # what small units have closed since
        self._pending: Decimal | None = None  # the digit that waits for its unit
        self._zero = False  # a 零 stands right before what comes next
        self._unit = 0  # the last unit
        self._small = 10**4  # the last small unit of the section
        self._lowest = 0  # the last large unit

    def take(self, token: str) -> bool:
        """Adds a token; False where it cannot stand there."""
        if token[0].isascii():
            return token[0].isdigit() and self._digit(Decimal(token))
        if token in DIGITS:
            if DIGITS[token] == 0 and self._pending is None:
                self._zero = True
                return True
            return self._digit(Decimal(DIGITS[token]))
        if token in SMALL_UNITS:
            return self._small_unit(SMALL_UNITS[token])
        return token in LARGE_UNITS and self._large_unit(LARGE_UNITS[token])

    def total(self) -> Decimal:
        """The number that was read."""
        rest = self._pending or Decimal(0)
        colloquial = self._unit >= 100 and not self._zero and not self._financial and rest < 10
        if self._pending is not None and colloquial:
            rest *= self._unit // 10
        return self._large + self._section + rest

    def _digit(self, value: Decimal) -> bool:
        if self._pending is not None:
            return False
        self._pending = value
        return True

    def _small_unit(self, unit: int) -> bool:
        step = 10 if unit < 100 else unit
        if step >= self._small:
            return False
        self._section += unit * (Decimal(1) if self._pending is None else self._pending)
        self._pending, self._zero, self._unit, self._small = None, False, step, step
        return True

    def _large_unit(self, unit: int) -> bool:
        value = self._section + (self._pending or 0)
        if not value and (not self._large or self._lowest >= unit):
            return self._zero and not self._large
        if self._lowest and self._lowest <= unit:
            if self._lowest == unit:
                return False
            self._large = (self._large + value) * unit
        else:
            self._large += value * unit
        self._section, self._pending, self._zero = Decimal(0), None, False
        self._unit, self._small, self._lowest = unit, 10**4, unit
        return True
