"""A span of text that may be a value, before anyone knows of which field."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class ValueKind(StrEnum):
    """What sort of value a field holds; decides its normal form (taxonomy/credit-fields.yaml)."""

    AMOUNT = "amount"
    RATE = "rate"
    PENALTY_RATE = "penalty_rate"
    TERM = "term"
    DATE = "date"
    IDENTITY = "identity"
    ACCOUNT = "account"
    REPAYMENT_METHOD = "repayment_method"
    OPINION = "opinion"
    PARTY = "party"
    TEXT = "text"


FREE = frozenset({ValueKind.PARTY, ValueKind.TEXT, ValueKind.REPAYMENT_METHOD, ValueKind.OPINION})
"""Kinds whose values have no form that finders could know."""

_ALSO: Mapping[ValueKind, frozenset[ValueKind]] = {
    ValueKind.PENALTY_RATE: frozenset({ValueKind.PENALTY_RATE, ValueKind.RATE}),
}


def forms_of(kind: ValueKind) -> frozenset[ValueKind]:
    """The kinds of candidates that may be a value of a kind: a penalty rate may be printed as a plain rate."""
    return _ALSO.get(kind, frozenset({kind}))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A span that may be a value.

    Attributes:
        kind: What sort of value.
        start: First character in the text that was searched.
        end: One past the last.
        text: The span as printed.
        norm: Its normal form; None where it has none.
    """

    kind: ValueKind
    start: int
    end: int
    text: str
    norm: str | None
