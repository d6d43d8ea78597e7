"""Where the names of parties begin and end, inside spans that take in too much or several of them."""

import re
from collections.abc import Iterator

_LAST = "司行社厂店场部局心团处会站院校所"
"""What the names of organisations end with."""
_APART = re.compile(rf"[、，；,;\n\t]|(?<=[{_LAST}])(?:以及|和|与|及)(?=..)")
_TWO_PEOPLE = re.compile(rf"(?P<one>[^{_LAST}\s]{{2,4}})(?:以及|和|与|及)(?P<other>[^{_LAST}\s]{{2,4}})")
_BEFORE = re.compile(rf"(?:(?:原审)?(?:被告|原告|第三人)(?:人)?|[与和由向及系为](?=.+[{_LAST}]$))(?=..)")
_BEHIND = re.compile(rf"(?<=[{_LAST}])[在的因为于与和向以等将](?=$)")
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
        last = left + behind.start() if behind else right
        if last - first >= _LEAST:
            yield first, last


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
