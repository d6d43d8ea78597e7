"""What a person says of a result, and what the result is then.

What the models said is never changed: a result as it is now is what they said with every review applied in its order.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

from bankai.errors import FieldViolation, InvalidRequestError
from services.doc_extract.result import Extraction, FieldValue
from services.doc_extract.schema import Schema
from services.doc_extract.text import Region

MAX_CORRECTIONS = 1000
MAX_TEXT = 4000
"""Characters of a corrected value and of its normal form."""


class Origin(StrEnum):
    """Where a value comes from."""

    EXTRACTED = "extracted"
    CONFIRMED = "confirmed"
    CORRECTED = "corrected"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class ReviewedValue:
    """A value of a result as it is now.

    Attributes:
        id: Its number within the result, from 1; never given to another.
        value: The value.
        origin: Where it comes from.
    """

    id: int
    value: FieldValue
    origin: Origin

    @property
    def needs_review(self) -> bool:
        """Whether a person must confirm it before it is acted on."""
        return self.origin is Origin.EXTRACTED and self.value.needs_review


@dataclass(frozen=True, slots=True)
class Confirm:
    """The value is right."""

    value_id: int
    action: Literal["confirm"] = "confirm"


@dataclass(frozen=True, slots=True)
class Replace:
    """The value reads differently."""

    value_id: int
    text: str
    norm: str | None
    action: Literal["replace"] = "replace"


@dataclass(frozen=True, slots=True)
class Remove:
    """It is no value of that field."""

    value_id: int
    action: Literal["remove"] = "remove"


@dataclass(frozen=True, slots=True)
class Add:
    """The models missed a value."""

    field: str
    text: str
    norm: str | None
    regions: Sequence[Region]
    action: Literal["add"] = "add"


Correction = Confirm | Replace | Remove | Add


@dataclass(frozen=True, slots=True)
class Review:
    """A person's corrections, as they are kept.

    Attributes:
        revision: The result's revision that they made.
        reviewer: Who.
        channel: Channel of the bank through which they came.
        created: When, seconds since 1970.
        corrections: What was said.
    """

    revision: int
    reviewer: str
    channel: str
    created: float
    corrections: Sequence[Correction]


def reviewed(extraction: Extraction, reviews: Iterable[Review]) -> Sequence[ReviewedValue]:
    """The values of an extraction after reviews of it, in the order of the text, added ones at the end."""
    values = {
        number: ReviewedValue(number, value, Origin.EXTRACTED)
        for number, value in enumerate(extraction.values, start=1)
    }
    following = len(values) + 1
    for review in reviews:
        for correction in review.corrections:
            match correction:
                case Confirm(value_id):
                    if values[value_id].origin is Origin.EXTRACTED:
                        values[value_id] = replace(values[value_id], origin=Origin.CONFIRMED)
                case Replace(value_id, text, norm):
                    before = values[value_id]
                    # An added value that is put right is still one that the models missed.
                    origin = Origin.ADDED if before.origin is Origin.ADDED else Origin.CORRECTED
                    values[value_id] = ReviewedValue(value_id, replace(before.value, text=text, norm=norm), origin)
                case Remove(value_id):
                    del values[value_id]
                case Add(field, text, norm, regions):
                    value = FieldValue(field, text, norm, 1.0, needs_review=False, start=0, end=0, regions=regions)
                    values[following] = ReviewedValue(following, value, Origin.ADDED)
                    following += 1
    return list(values.values())


def check(corrections: Sequence[Correction], values: Sequence[ReviewedValue], schema: Schema) -> None:
    """Refuses corrections that do not fit a result.

    Args:
        corrections: The corrections.
        values: The result's values as they are now.
        schema: Its schema.

    Raises:
        InvalidRequestError: REVIEW_INVALID, naming every correction that is wrong.
    """
    if not 1 <= len(corrections) <= MAX_CORRECTIONS:
        raise _invalid([FieldViolation("corrections", f"must have 1 to {MAX_CORRECTIONS:,} entries")])
    known = {value.id for value in values}
    violations: list[FieldViolation] = []
    for index, correction in enumerate(corrections):
        where = f"corrections[{index}].{correction.action}"
        if isinstance(correction, Add):
            if schema.field(correction.field) is None:
                violations.append(FieldViolation(f"{where}.field_id", "is no field of the result's schema"))
        elif correction.value_id not in known:
            violations.append(FieldViolation(f"{where}.value_id", "is no value of the result as it is now"))
        if isinstance(correction, Remove):
            known.discard(correction.value_id)
        if isinstance(correction, Add | Replace):
            violations += _wrong_texts(correction, where)
    if violations:
        raise _invalid(violations)


def _wrong_texts(correction: Add | Replace, where: str) -> Iterator[FieldViolation]:
    if not correction.text.strip() or len(correction.text) > MAX_TEXT:
        yield FieldViolation(f"{where}.text", f"must have 1 to {MAX_TEXT:,} characters")
    if len(correction.norm or "") > MAX_TEXT:
        yield FieldViolation(f"{where}.norm", f"must have at most {MAX_TEXT:,} characters")


def _invalid(violations: Sequence[FieldViolation]) -> InvalidRequestError:
    first = violations[0]
    return InvalidRequestError("REVIEW_INVALID", f"{first.field} {first.description}", violations=violations)
