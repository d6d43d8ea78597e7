"""Resident identity numbers and unified social credit codes with their check characters."""

import re
from datetime import date

from services.doc_extract.normal_forms.folding import compact

_OTHER = re.compile(r"[^0-9A-Z]")
_RESIDENT = re.compile(r"[0-9]{17}[0-9X]")
_OLD_RESIDENT = re.compile(r"[0-9]{15}")
CREDIT_LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""What a unified social credit code is written in (GB 32100-2015)."""
_CREDIT = re.compile(f"[{CREDIT_LETTERS}]{{2}}[0-9]{{6}}[{CREDIT_LETTERS}]{{10}}")
_LONGEST = 60


def normalise_identity(text: str) -> str | None:
    """The number's digits and capital letters without anything between them; None where it has fewer than six."""
    if len(text) > _LONGEST:
        return None
    code = _OTHER.sub("", compact(text).upper())
    return code if len(code) >= 6 and any(letter.isdigit() for letter in code) else None


def checksum_ok(text: str) -> bool | None:
    """Whether an identity number is one that can exist.

    Eighteen characters: GB 11643-1999 (ISO 7064 MOD 11-2 and a real date of birth) or GB 32100-2015 (modulo 31).
    Fifteen digits are an old resident number when their date of birth is real; they have no check digit.

    Returns:
        True or False; None for what is in neither form, about which nothing can be said.
    """
    code = normalise_identity(text)
    if code is None:
        return None
    if _OLD_RESIDENT.fullmatch(code):
        return True if _real("19" + code[6:12]) else None
    verdicts = []
    if _RESIDENT.fullmatch(code):
        verdicts.append(_real(code[6:14]) and resident_check(code[:17]) == code[17])
    if _CREDIT.fullmatch(code):
        verdicts.append(credit_check(code[:17]) == code[17])
    if verdicts:
        return any(verdicts)
    return False if len(code) == 18 else None


def _real(day: str) -> bool:
    try:
        date(int(day[:4]), int(day[4:6]), int(day[6:]))
    except ValueError:
        return False
    return True


def resident_check(digits: str) -> str:
    """The last character of a resident identity number by its 17 digits (ISO 7064 MOD 11-2)."""
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(digits))
    return "10X98765432"[total % 11]


def credit_check(letters: str) -> str:
    """The last character of a unified social credit code by its 17 others (modulo 31)."""
    total = sum(CREDIT_LETTERS.index(letter) * pow(3, place, 31) for place, letter in enumerate(letters))
    return CREDIT_LETTERS[-total % 31]
