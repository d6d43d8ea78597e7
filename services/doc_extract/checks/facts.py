"""The values of a document as the checks look at them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from services.doc_extract.result import DocumentKind, FieldValue
from services.doc_extract.schema import Schema

NEAR = 120
"""Characters between two values that speak of the same loan, where a document names several."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What checks need to know of a document.

    Attributes:
        kind: What the document is.
        values: Its values, in the order of the text.
        schema: The fields that were looked for.
    """

    kind: DocumentKind
    values: Sequence[FieldValue]
    schema: Schema

    def of(self, *fields: str) -> list[int]:
        """Places of the fields' values that have a normal form, in the order of the text."""
        return [place for place, value in enumerate(self.values) if value.field in fields and value.norm is not None]

    def norm(self, place: int) -> str:
        """A value's normal form; empty where it has none."""
        return self.values[place].norm or ""

    def day(self, place: int) -> date:
        """A date's value."""
        return date.fromisoformat(self.norm(place))

    def distance(self, one: int, other: int) -> int:
        """Characters between two values."""
        first, second = sorted((self.values[one], self.values[other]), key=lambda value: value.start)
        return max(0, second.start - first.end)

    def partner(self, place: int, field: str) -> int | None:
        """The value of another field that speaks of the same loan as a value.

        Where both fields have as many values, the first belongs to the first and so on. Otherwise it is the nearest
        one, however far away where only one thing is said, else no further than NEAR.

        Returns:
            Its place; None where there is none, or another loan's may be meant.
        """
        others = self.of(field)
        mates = self.of(self.values[place].field)
        if not others:
            return None
        if len(others) == len(mates):
            return others[mates.index(place)]
        best = min(others, key=lambda other: self.distance(place, other))
        alone = len({self.norm(other) for other in others}) == 1
        return best if alone or self.distance(place, best) <= NEAR else None
