"""Width and white space, which documents print in many ways and no value depends on."""

import re

_WIDE = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_SPACES = dict.fromkeys([0x00A0, *range(0x2000, 0x200B), 0x202F, 0x3000], " ")
_TABLE = {**_WIDE, **_SPACES, ord("￥"): "¥", ord("○"): "〇", ord("◯"): "〇", ord("￡"): "£"}
_SPACE = re.compile(r"\s+")
_GAP = re.compile(r"[\s_]+")


def fold(text: str) -> str:
    """Full-width letters, digits and signs as half-width ones, odd spaces as spaces; as long as the text was."""
    return text.translate(_TABLE)


def compact(text: str) -> str:
    """Folded, without any white space, or what is left of a blank that was filled in: ＿＿36＿＿个月."""
    return _GAP.sub("", fold(text))


def tidy(text: str) -> str:
    """Folded, runs of white space as one space, none at the ends."""
    return _SPACE.sub(" ", fold(text)).strip()
