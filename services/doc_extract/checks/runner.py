"""All checks in one go."""

from collections.abc import Iterator

from services.doc_extract.checks.amounts import check_amounts
from services.doc_extract.checks.dates import check_order, check_term
from services.doc_extract.checks.facts import Facts
from services.doc_extract.checks.rates import check_rates
from services.doc_extract.normal_forms.identities import checksum_ok
from services.doc_extract.result import Finding


def run_checks(facts: Facts) -> list[Finding]:
    """What contradicts itself, fails its checksum, or is missing; check ids as in the schema's taxonomy."""
    checks = (check_amounts, check_rates, check_term, check_order, _check_identities, _check_required)
    return [finding for check in checks for finding in check(facts)]


def _check_identities(facts: Facts) -> Iterator[Finding]:
    for place in facts.of("borrower_id"):
        if checksum_ok(facts.norm(place)) is False:
            yield Finding("id_checksum_failed", f"{facts.values[place].field} fails its checksum", (place,))


def _check_required(facts: Facts) -> Iterator[Finding]:
    present = {value.field for value in facts.values}
    for field in facts.schema.required_in(facts.kind):
        if field.id not in present:
            yield Finding("required_field_blank", f"{field.names.en} is blank or missing", field=field.id)
