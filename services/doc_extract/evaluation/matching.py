"""Which of the values that were found are right."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from services.doc_extract.evaluation.gold import GoldPlace, GoldValue
from services.doc_extract.normal_forms.folding import compact
from services.doc_extract.page import Box
from services.doc_extract.result import FieldValue
from services.doc_extract.text import Region

HIT = 0.5
"""Share that two places must have in common, of all that they cover, to count as the same."""


class _Value(Protocol):
    @property
    def field(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def norm(self) -> str | None: ...


Value = TypeVar("Value", bound=_Value)


@dataclass(frozen=True, slots=True)
class Matched:
    """What was found in one document beside what it is known to say; what is said twice counts once.

    Attributes:
        pairs: Right values with those of gold that they equal.
        missed: Values of gold that were not found.
        wrong: Values that are not in gold.
    """

    pairs: Sequence[tuple[GoldValue, FieldValue]]
    missed: Sequence[GoldValue]
    wrong: Sequence[FieldValue]


def match(gold: Iterable[GoldValue], found: Iterable[FieldValue]) -> Matched:
    """Matches values of one field one to one: equal in text, white space and width apart, or in normal form."""
    left = _once(gold)
    pairs, wrong = [], []
    for value in _once(found):
        twin = next((each for each in left if _same(each, value)), None)
        if twin is None:
            wrong.append(value)
        else:
            left.remove(twin)
            pairs.append((twin, value))
    return Matched(pairs, left, wrong)


def same_place(gold: Iterable[GoldPlace], found: Iterable[Region]) -> bool:
    """Whether on every page of gold the boxes cover the same area, to a share of `HIT` (intersection over union)."""
    regions = {region.page: region.boxes for region in found}
    return all(_overlap([Box(*box) for box in place.boxes], regions.get(place.page, ())) >= HIT for place in gold)


def _same(gold: GoldValue, found: FieldValue) -> bool:
    if gold.field != found.field:
        return False
    return compact(gold.text) == compact(found.text) or (gold.norm is not None and gold.norm == found.norm)


def _once(values: Iterable[Value]) -> list[Value]:
    told: dict[Hashable, Value] = {}
    for value in values:
        told.setdefault((value.field, value.norm or compact(value.text)), value)
    return list(told.values())


def _overlap(one: Sequence[Box], other: Sequence[Box]) -> float:
    """Intersection over union of two sets of boxes that do not overlap among themselves."""
    common = sum(_common(a, b) for a in one for b in other)
    union = sum(map(_area, (*one, *other))) - common
    return common / union if union > 0 else 0.0


def _common(one: Box, other: Box) -> float:
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    return max(0.0, width) * max(0.0, height)


def _area(box: Box) -> float:
    return max(0.0, box.right - box.left) * max(0.0, box.bottom - box.top)
