"""Takes numbers that belong to customers out of whatever is about to be logged.

Any run of nine or more digits goes: phones, bank cards, Chinese identity numbers, accounts. Digits count in whatever
script they are written (full width and Chinese numerals included, as speech recognition writes them), with spaces,
dashes, dots or brackets between them. Shorter numbers, such as durations, ports, counts and dates, stay; so do time
stamps, IPv4 addresses, fractions below 100 and UUIDs.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

_MAX_DEPTH = 8
_LARGE = 10**10  # phone numbers have 11 digits; byte counts and UNIX seconds have fewer
_OTHER_DIGITS = str.maketrans("零〇幺一二三四五六七八九", "001123456789")

_MIN_DIGITS = 9
_DIGIT = r"[\d零〇幺一二三四五六七八九]"
_GAP = r"[ \t\u00a0\u2000-\u200d\u202f\u3000\ufeff\-\u2010-\u2015\u2212\u30fb\uff0d._·•()（）．]{0,3}"
_NUMBER = re.compile(rf"{_DIGIT}(?:{_GAP}{_DIGIT}){{{_MIN_DIGITS - 1},}}(?:{_GAP}[XxＸｘ×])?")
# Whether there is anything to do, in about a microsecond: nearly all of what is logged is ASCII without numbers.
_ASCII_NUMBER = re.compile(rf"[0-9](?:[ \t\-._()]{{0,3}}+[0-9]){{{_MIN_DIGITS - 1}}}")
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_HARMLESS = "|".join(
    (
        r"(?<!\d)(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?(?!\d)",
        rf"(?<![\d.]){_OCTET}(?:\.{_OCTET}){{3}}(?![\d.])",  # IPv4
        r"(?<![\w.-])-?[0-9]{1,2}\.[0-9]{1,18}(?:e-?[0-9]{1,3})?(?![\w.-])",
        r"(?<![0-9A-Za-z-])[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}(?![0-9A-Za-z-])",  # UUID
    )
)
_TOKEN = re.compile(f"(?P<harmless>{_HARMLESS})|{_NUMBER.pattern}")

_PHONE = re.compile(r"(?:00)?(?:86)?1[3-9][0-9]{9}")
_IDENTITY = re.compile(r"[1-9][0-9]{5}(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])[0-3][0-9]{4}[0-9x]")


def redact_text(text: str) -> str:
    """The text with customers' numbers replaced by [phone], [card], [identity] or [number]."""
    if len(text) < _MIN_DIGITS or (_ASCII_NUMBER if text.isascii() else _NUMBER).search(text) is None:
        return text
    return _TOKEN.sub(lambda match: match[0] if match["harmless"] else _label(match[0]), text)


def redact(value: Any) -> Any:
    """A value to be logged, redacted at every depth, keys included.

    Whatever is neither a container nor a plain value becomes its redacted `repr`, which is what a renderer would write.
    """
    return _redact(value, _MAX_DEPTH)


def _redact(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return redact_text(value)
    if value is None or isinstance(value, int | float):
        return "[number]" if value is not None and abs(value) >= _LARGE else value
    if isinstance(value, bytes | bytearray):
        return redact_text(value.decode("utf-8", "backslashreplace"))
    return _redact_nested(value, depth) if depth else "[...]"


def _redact_nested(value: Any, depth: int) -> Any:
    if isinstance(value, Mapping):
        return {_redact(key, 1): _redact(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redact(item, depth - 1) for item in value]
    return redact_text(repr(value))


def _label(text: str) -> str:
    digits = "".join(map(_digit, text))
    if _PHONE.fullmatch(digits):
        return "[phone]"
    if _IDENTITY.fullmatch(digits):
        return "[identity]"
    if 13 <= len(digits) <= 19 and digits.isdecimal() and _luhn(digits):
        return "[card]"
    return "[number]"


def _digit(character: str) -> str:
    value = unicodedata.decimal(character.translate(_OTHER_DIGITS), None)
    if value is not None:
        return str(value)
    return "x" if character in "XxＸｘ×" else ""


def _luhn(digits: str) -> bool:
    doubled = (int(digit) * 2 for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(number - 9 if number > 9 else number for number in doubled)) % 10 == 0
