"""Where the names of parties begin and end, inside spans that take in too much or several of them."""

import re
from collections.abc import Iterator

_LAST = "司行社厂店场部局心团处会站院校所"
"""What the names of organisations end with."""
_APART = re.compile(rf"[、，；,;\n\t]|(?<=[{_LAST}])(?:以及|和|与|及)(?=..)")
_TWO_PEOPLE = re.compile(rf"(?P<one>[^{_LAST}\s]{{2,4}})(?:以及|和|与|及)(?P<other>[^{_LAST}\s]{{2,4}})")
_BEFORE = re.compile(rf"(?:(?:原审)?(?:被告|原告|第三人)(?:人)?|[与和由向及系为](?=.+[{_LAST}]$))(?=..)")
_BEHIND = re.compile(rf"(?<=[{_LAST}])[在的因为于与和向以等将](?=$)")
_HALF = re.compile(r"(?:[支分银联公]|信用|合作|营业|委员)\Z")
_BLANK_BEHIND = re.compile(r"[ \u3000_＿]+[^\s_＿，。；：]{0,2}(?:[支分]?行|营业[所部]|信用社|联社|公司)")
"""What makes a name one whose middle is blank in the form: 中国人民建设银行＿＿＿行."""
_LEAST = 2


def names(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The names in a span, each as its start and end.

    Args:
        text: The text.
        start: Where the span begins.
        end: One past its last character.
    """
    for left, right in _pieces(text, start, end):
        before = _BEFORE.match(text[left:right])
        behind = _BEHIND.search(text[left:right])
        first = left + (before.end() if before else 0)
        last = left + behind.start() if behind else right + _cut_off(text, left, right)
        if last - first >= _LEAST and not _BLANK_BEHIND.match(text, last):
            yield first, last


def _cut_off(text: str, start: int, end: int) -> int:
    """How many characters of the last word of an organisation's name stand behind a span: 支|行, 有限公|司."""
    return int(bool(_HALF.search(text, start, end)) and text[end : end + 1] in {*_LAST})


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    left = start
    for mark in _APART.finditer(text, start, end):
        yield left, mark.start()
        left = mark.end()
    two = _TWO_PEOPLE.fullmatch(text, left, end)
    if two:
        yield two.span("one")
        yield two.span("other")
    else:
        yield left, end
