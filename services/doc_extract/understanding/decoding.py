"""From the tokens' tags to values: spans that have the form of a value, and names and texts between their limits."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.doc_extract.candidate import FREE, Candidate, ValueKind, forms_of
from services.doc_extract.normal_forms.registry import normalise
from services.doc_extract.schema import FieldSpec
from services.doc_extract.text import BREAK, CELL
from services.doc_extract.understanding.party_names import names
from services.doc_extract.understanding.roles import Roles
from services.doc_extract.understanding.rows import Surroundings

LEAST = 0.2
"""Probability below which nothing is said at all."""

_UNIT = re.compile(r"[元圆万亿¥￥$]|金额|本金|额度|小写|大写|RMB|CNY|USD", re.IGNORECASE)
_FIGURE = re.compile(r"\d{2}|[〇零一二三四五六七八九壹贰叁肆伍陆柒捌玖]")
_GAP = 2
"""Characters, such as spaces, that may stand between two tokens of one value."""
_EDGE = " \u3000_＿\t\n\r,，.。;；:：、“”\"'‘’"
_ABBREVIATED = re.compile(r"\b(?:Inc|Ltd|Co|Corp|N\.A|L\.P|S\.A|B\.V|Jr|Sr)\Z", re.IGNORECASE)
"""Ends of names whose full stop belongs to them."""
_LIMIT = re.compile(rf"[{CELL}{BREAK}]")
_BLANK = re.compile(r"[\s_＿/\\\-—.:：,、（）()年月日字第号]*(?:元|万元|%|‰|无)?[\s_＿/\\\-—.:：年月日号（）()]*")


@dataclass(frozen=True, slots=True)
class RoleValue:
    """A span with the role that the model gives it.

    Attributes:
        field: Id of the field.
        start: First character in the text.
        end: One past the last.
        norm: Its normal form; None where it has none.
        score: Mean probability of its tokens.
    """

    field: str
    start: int
    end: int
    norm: str | None
    score: float


def decode(
    text: str, roles: Roles, candidates: Sequence[Candidate], fields: Sequence[FieldSpec], around: Surroundings
) -> list[RoleValue]:
    """Every value with some probability, in the order of the text.

    Args:
        text: Of the document.
        roles: Its tokens' tags; their field axis runs as `fields`.
        candidates: Spans that have the form of a value.
        fields: What the model knows.
        around: What stands before each place of the text.
    """
    if not len(roles.starts):
        return []
    taken = np.zeros(len(text), bool)
    values = [*_formed(roles, candidates, fields, around, taken), *_spans(text, roles, fields, around, taken)]
    return sorted(values, key=lambda value: (value.start, value.end))


def _formed(
    roles: Roles,
    candidates: Iterable[Candidate],
    fields: Sequence[FieldSpec],
    around: Surroundings,
    taken: NDArray[np.bool_],
) -> Iterator[RoleValue]:
    """Each candidate in its likeliest role, of overlapping ones the likelier; marks their characters as taken."""
    either = roles.either
    columns_of = {kind: _columns(kind, fields) for kind in ValueKind}
    scored = []
    for candidate in candidates:
        columns = columns_of[candidate.kind]
        within = roles.within(candidate.start, candidate.end)
        if not columns or within.start >= within.stop:
            continue
        means = either[within][:, columns].mean(axis=0)
        best = int(means.argmax())
        if means[best] >= LEAST:
            scored.append((float(means[best]), fields[columns[best]], candidate))
    scored.sort(key=lambda each: -each[0])
    for score, field, candidate in scored:
        if taken[candidate.start : candidate.end].any():
            continue
        taken[candidate.start : candidate.end] = True
        norm = candidate.norm
        if candidate.kind is not field.kind:
            norm = normalise(field.kind, candidate.text, around.before(candidate.start)) or norm
        yield RoleValue(field.id, candidate.start, candidate.end, norm, score)


def _columns(kind: ValueKind, fields: Sequence[FieldSpec]) -> list[int]:
    """The fields that a candidate of a kind may be a value of."""
    return [place for place, field in enumerate(fields) if field.kind not in FREE and kind in forms_of(field.kind)]


def _spans(
    text: str, roles: Roles, fields: Sequence[FieldSpec], around: Surroundings, taken: NDArray[np.bool_]
) -> Iterator[RoleValue]:
    """Runs of tokens of one field, cut back to where a value can begin and end."""
    either = roles.either
    for column, first, last in _whole_names(text, roles, fields):
        field = fields[column]
        score = float(either[first : last + 1, column].mean())
        for left, right in _parts(text, int(roles.starts[first]), int(roles.ends[last]), field.kind):
            start, end = _trimmed(text, left, right)
            if start >= end or taken[start:end].any() or _BLANK.fullmatch(text, start, end):
                continue
            norm = normalise(field.kind, text[start:end], around.before(start))
            if norm is not None and _whole(field.kind, text[start:end], around.before(start)):
                yield RoleValue(field.id, start, end, norm, score)


def _whole(kind: ValueKind, value: str, before: str) -> bool:
    """Whether a span without the form of a value can be one: a letter is no text, a figure without a unit no amount."""
    if kind is ValueKind.AMOUNT:
        return bool(_UNIT.search(before) or _UNIT.search(value)) and bool(_FIGURE.search(value))
    return kind not in FREE or len(value) > 1


def _parts(text: str, start: int, end: int, kind: ValueKind) -> Iterator[tuple[int, int]]:
    """Names that stand one after the other, each by itself; anything else as it is."""
    if kind is ValueKind.PARTY:
        yield from names(text, start, end)
    else:
        yield start, end


def _whole_names(text: str, roles: Roles, fields: Sequence[FieldSpec]) -> Iterator[tuple[int, int, int]]:
    """Runs, those of parties that touch joined to one of the likeliest party: nobody's name has two roles in it."""
    either = roles.either
    parties = [column for column, field in enumerate(fields) if field.kind is ValueKind.PARTY]
    group: list[tuple[int, int, int]] = []

    def joined() -> Iterator[tuple[int, int, int]]:
        if group:
            first, last = group[0][1], group[-1][2]
            sums = either[first : last + 1][:, parties].sum(axis=0)
            yield parties[int(sums.argmax())], first, last

    for column, first, last in _runs(roles):
        touches = group and roles.ends[group[-1][2]] == roles.starts[first]
        if group and not (touches and column in parties and text[roles.starts[first]] not in _EDGE):
            yield from joined()
            group.clear()
        if column in parties:
            group.append((column, first, last))
        else:
            yield column, first, last
    yield from joined()


def _runs(roles: Roles) -> Iterator[tuple[int, int, int]]:
    """Column, first and last token of each run of neighbouring tokens with the same likeliest field."""
    either = roles.either
    best: NDArray[np.intp] = either.argmax(axis=1)
    likely = either[np.arange(len(best)), best] >= LEAST
    first = 0
    for place in range(1, len(best) + 1):
        goes_on = (
            place < len(best)
            and best[place] == best[first]
            and likely[place] == likely[first]
            and roles.starts[place] - roles.ends[place - 1] <= _GAP
        )
        if not goes_on:
            if likely[first]:
                yield int(best[first]), first, place - 1
            first = place


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start] in _EDGE:
        start += 1
    limit = _LIMIT.search(text, start, end)
    end = limit.start() if limit else end
    while start < end and text[end - 1] in _EDGE:
        end -= 1
    if start == end:
        return start, end
    if text[end : end + 1] == "." and _ABBREVIATED.search(text, start, end):
        end += 1
    for left, right in ("（）", "()", "〔〕", "[]", "【】"):
        start, end = _balanced(text, start, end, left, right)
    return start, end


def _balanced(text: str, start: int, end: int, left: str, right: str) -> tuple[int, int]:
    """Takes in a missing bracket that stands at the edge; else leaves its mate out, where that does."""
    surplus = text.count(left, start, end) - text.count(right, start, end)
    if surplus < 0 and text[start - 1 : start] == left:
        start -= 1
    elif surplus < 0 and text[start] == right:
        start += 1
    elif surplus < 0 and text[end - 1] == right:
        end -= 1
    elif surplus > 0 and text[end : end + 1] == right:
        end += 1
    elif surplus > 0 and text[end - 1] == left:
        end -= 1
    return start, end
