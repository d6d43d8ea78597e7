from services.doc_extract.candidate import ValueKind
from services.doc_extract.result import DocumentKind
from services.doc_extract.schema import CREDIT, credit

# Stable on the wire: the ids of the taxonomy, in its order.
IDS = [
    *("contract_no", "borrower", "borrower_id", "lender", "guarantor", "collateral", "product", "amount"),
    *("amount_upper", "term", "rate", "penalty_rate", "repayment_method", "purpose", "sign_date", "start_date"),
    *("end_date", "validity_start", "validity_end", "drawdown_condition", "account", "approval_opinion"),
]


def test_the_built_in_fields() -> None:
    schema = credit()
    assert (schema.id, schema.version) == (CREDIT, "1")
    assert [field.id for field in schema.fields] == IDS
    assert all(field.builtin and 0 < field.review_below < 1 for field in schema.fields)


def test_every_field_has_names_and_labels_in_both_languages() -> None:
    for field in credit().fields:
        assert field.names.zh
        assert field.names.en.isascii()
        assert any(alias.isascii() for alias in field.aliases), field.id
        assert any(not alias.isascii() for alias in field.aliases), field.id


def test_labels_are_trimmed_and_given_once() -> None:
    for field in credit().fields:
        folded = [alias.casefold() for alias in field.aliases]
        assert len(set(folded)) == len(folded), field.id
        assert all(alias == alias.strip("：: ") for alias in field.aliases), field.id


def test_fields_are_found_by_id() -> None:
    amount = credit().field("amount")
    assert amount is not None
    assert amount.kind is ValueKind.AMOUNT
    assert "借款金额" in amount.aliases
    assert credit().field("colour") is None


def test_what_a_loan_contract_must_not_leave_blank() -> None:
    required = {field.id for field in credit().required_in(DocumentKind.LOAN_CONTRACT)}
    assert required == {"contract_no", "borrower", "lender", "amount", "rate"}
    assert list(credit().required_in(DocumentKind.OTHER)) == []
