"""Dates against each other and against the term."""

import re
from collections.abc import Iterator
from datetime import date, timedelta

from services.doc_extract.checks.facts import Facts
from services.doc_extract.result import Finding

_TERM = re.compile(r"P(?:(?P<months>\d+)M)?(?:(?P<days>\d+)D)?")
_ORDERED = (("start_date", "end_date"), ("validity_start", "validity_end"), ("sign_date", "end_date"))


def check_term(facts: Facts) -> Iterator[Finding]:
    """term_dates_mismatch: the end is not the start plus the term; a day more or less is a matter of counting."""
    for place in facts.of("term"):
        start, end = facts.partner(place, "start_date"), facts.partner(place, "end_date")
        if start is None or end is None:
            continue
        expected = _later(facts.day(start), facts.norm(place))
        if expected is not None and abs((facts.day(end) - expected).days) > 1:
            yield Finding(
                "term_dates_mismatch",
                f"{facts.norm(start)} plus {facts.values[place].text} is {expected.isoformat()}, not {facts.norm(end)}",
                tuple(sorted((place, start, end))),
            )


def check_order(facts: Facts) -> Iterator[Finding]:
    """date_order: an end before its beginning, or a contract signed after it ended."""
    for first, second in _ORDERED:
        for place in facts.of(first):
            other = facts.partner(place, second)
            if other is not None and facts.day(other) < facts.day(place):
                yield Finding(
                    "date_order",
                    f"{second} {facts.norm(other)} is before {first} {facts.norm(place)}",
                    tuple(sorted((place, other))),
                )


def _later(start: date, term: str) -> date | None:
    found = _TERM.fullmatch(term)
    if not found:
        return None
    years, month = divmod(start.month - 1 + int(found["months"] or 0), 12)
    try:
        # A month that is too short ends a day earlier: 31 January plus a month is 28 February.
        first = date(start.year + years, month + 1, 1)
        after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
        moved = min(first + timedelta(days=start.day - 1), after - timedelta(days=1))
        return moved + timedelta(days=int(found["days"] or 0))
    except (OverflowError, ValueError):
        return None
