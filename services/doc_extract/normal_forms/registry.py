"""The normal form of any kind of value."""

from collections.abc import Callable

from services.doc_extract.candidate import ValueKind
from services.doc_extract.normal_forms.accounts import normalise_account
from services.doc_extract.normal_forms.amounts import normalise_amount
from services.doc_extract.normal_forms.dates import normalise_date
from services.doc_extract.normal_forms.folding import tidy
from services.doc_extract.normal_forms.identities import normalise_identity
from services.doc_extract.normal_forms.opinions import normalise_opinion
from services.doc_extract.normal_forms.penalties import normalise_penalty
from services.doc_extract.normal_forms.rates import normalise_rate
from services.doc_extract.normal_forms.repayment import normalise_repayment
from services.doc_extract.normal_forms.terms import normalise_term


def _text(text: str) -> str | None:
    return tidy(text) or None


_WITHOUT_CONTEXT: dict[ValueKind, Callable[[str], str | None]] = {
    ValueKind.DATE: normalise_date,
    ValueKind.IDENTITY: normalise_identity,
    ValueKind.ACCOUNT: normalise_account,
    ValueKind.REPAYMENT_METHOD: normalise_repayment,
    ValueKind.OPINION: normalise_opinion,
    ValueKind.PARTY: _text,
    ValueKind.TEXT: _text,
}

_WITH_CONTEXT: dict[ValueKind, Callable[[str, str], str | None]] = {
    ValueKind.AMOUNT: normalise_amount,
    ValueKind.RATE: normalise_rate,
    ValueKind.PENALTY_RATE: normalise_penalty,
    ValueKind.TERM: normalise_term,
}


def normalise(kind: ValueKind, text: str, before: str = "") -> str | None:
    """The normal form of a value.

    Args:
        kind: What sort of value.
        text: The value as printed.
        before: The label or words before it: they may name the unit or the period that the value leaves out.

    Returns:
        The normal form of taxonomy and schema; None where the text has none. Never raises.
    """
    alone = _WITHOUT_CONTEXT.get(kind)
    return alone(text) if alone else _WITH_CONTEXT[kind](text, before)
