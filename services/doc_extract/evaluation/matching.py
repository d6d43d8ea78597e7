"""Which of the values that were found are right."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

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
    missed, wrong = _once(gold), _once(found)
    pairs = []
    # What is equal in text first: two values may have one normal form.
    for same in (_same_text, _same_norm):
        for value in list(wrong):
            twin = next((each for each in missed if each.field == value.field and same(each, value)), None)
            if twin is not None:
                missed.remove(twin)
                wrong.remove(value)
                pairs.append((twin, value))
    return Matched(pairs, missed, wrong)


def same_place(gold: Sequence[GoldPlace], found: Iterable[Region]) -> bool:
    """Whether on every page the boxes cover the same area, to a share of `HIT` (intersection over union)."""
    wanted = {place.page: [Box(*box) for box in place.boxes] for place in gold}
    told = {region.page: region.boxes for region in found}
    return all(_overlap(wanted.get(page, ()), told.get(page, ())) >= HIT for page in wanted.keys() | told.keys())


def _same_text(gold: GoldValue, found: FieldValue) -> bool:
    return compact(gold.text) == compact(found.text)


def _same_norm(gold: GoldValue, found: FieldValue) -> bool:
    return gold.norm is not None and gold.norm == found.norm


def _once(values: Iterable[Value]) -> list[Value]:
    told: dict[Hashable, Value] = {}
    for value in values:
        told.setdefault((value.field, value.norm or compact(value.text)), value)
    return list(told.values())


def _overlap(one: Sequence[Box], other: Sequence[Box]) -> float:
    """Intersection over union of the areas that two sets of boxes cover."""
    columns = np.unique([edge for box in (*one, *other) for edge in (box.left, box.right)])
    rows = np.unique([edge for box in (*one, *other) for edge in (box.top, box.bottom)])
    area = np.outer(np.diff(rows), np.diff(columns))
    first, second = _covered(one, rows, columns), _covered(other, rows, columns)
    union = float(area[first | second].sum())
    return float(area[first & second].sum()) / union if union > 0 else 0.0


def _covered(boxes: Sequence[Box], rows: NDArray[np.float64], columns: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of the fields between the edges of all boxes some of them cover."""
    covered = np.zeros((max(0, len(rows) - 1), max(0, len(columns) - 1)), bool)
    for box in boxes:
        down = slice(*np.searchsorted(rows, (box.top, box.bottom)))
        covered[down, slice(*np.searchsorted(columns, (box.left, box.right)))] = True
    return covered
