"""English number words and multipliers, as loan agreements write them out."""

import re
from decimal import Decimal

from services.doc_extract.normal_forms.numerals import number

_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_WORDS = {
    **{word: value for value, word in enumerate(_ONES)},
    **{word: 10 * value for value, word in enumerate(_TENS, 2)},
}
MULTIPLIERS = {
    "thousand": 10**3,
    "million": 10**6,
    "mn": 10**6,
    "billion": 10**9,
    "bn": 10**9,
}
WORD = "(?:" + "|".join(sorted([*_WORDS, "hundred", *MULTIPLIERS], key=len, reverse=True)) + ")"
"""One word of a number, in lower case, for a pattern."""

_SPLIT = re.compile(r"[\s-]+")
_LONGEST = 200


def english_number(text: str) -> Decimal | None:
    """Reads `7.85 million`, `thirty-six` or `one hundred and twenty thousand`; None where it is no such number."""
    if len(text) > _LONGEST:
        return None
    words = [word for word in _SPLIT.split(text.lower().strip()) if word and word != "and"]
    total, section = Decimal(0), Decimal(0)
    seen = False
    for word in words:
        if word in MULTIPLIERS:
            if not seen:
                return None
            total, section = total + section * MULTIPLIERS[word], Decimal(0)
        elif word == "hundred":
            section *= 100
        else:
            value = Decimal(_WORDS[word]) if word in _WORDS else _figure(word)
            if value is None:
                return None
            section, seen = section + value, True
    return total + section if seen else None


def _figure(word: str) -> Decimal | None:
    return number(word) if word.isascii() and word[0].isdigit() else None
