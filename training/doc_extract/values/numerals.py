"""Whole and decimal numbers in Chinese numerals."""

from decimal import Decimal

from services.doc_extract.normal_forms.numerals import plain_figure

UPPER = "零壹贰叁肆伍陆柒捌玖"
PLAIN = "零一二三四五六七八九"
_GROUPS = ("", "万", "亿", "万亿")


def han(value: int, *, upper: bool) -> str:
    """A whole number, in financial numerals or everyday ones."""
    digits, units = (UPPER, ("", "拾", "佰", "仟")) if upper else (PLAIN, ("", "十", "百", "千"))
    if value == 0:
        return digits[0]
    groups = []
    while value:
        value, group = divmod(value, 10_000)
        groups.append(group)
    out = ""
    for place in range(len(groups) - 1, -1, -1):
        group = groups[place]
        if not group:
            continue
        if out and (group < 1000 or not groups[place + 1]):
            out += digits[0]
        out += _group(group, digits, units) + _GROUPS[place]
    return out if upper or not out.startswith("一十") else out[1:]


def decimal(value: Decimal) -> str:
    """A number with decimals in everyday numerals: 五点六五."""
    whole, _, rest = plain_figure(value).partition(".")
    return han(int(whole), upper=False) + (f"点{''.join(PLAIN[int(digit)] for digit in rest)}" if rest else "")


def _group(group: int, digits: str, units: tuple[str, ...]) -> str:
    out, gap = "", False
    for place in range(3, -1, -1):
        digit = group // 10**place % 10
        if digit:
            out += (digits[0] if gap and out else "") + digits[digit] + units[place]
            gap = False
        else:
            gap = True
    return out
