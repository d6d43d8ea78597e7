"""Ways of repaying a loan."""

import re

from services.doc_extract.normal_forms.folding import compact

_METHODS = (
    (
        "equal_instalment",
        r"等额本息|等额还款|等额偿还本息|等额(?:还本付息|分期)|本息均摊|equal(?:monthly|quarterly)?(?:instal|payment)",
    ),
    ("equal_principal", r"等额本金|等额(?:还本|偿还本金|归还本金)|等本|本金均摊|equal(?:monthly|quarterly)?principal"),
    (
        "interest_first_bullet",
        r"先息后本|(?:[按每]半?[月季年].{0,4}|分期|定期)[付结还计收支清缴]{1,2}(?:利?息|还利息).{0,12}(?:到期|期满|一次|期末|末期).{0,8}本"
        r"|interest.{0,40}principal.{0,20}(?:maturity|bullet|lump)|interestonly",
    ),
    (
        "bullet",
        r"利随本清|一次性?(?:还本付息|[偿归清]还(?:全部)?(?:贷款|借款)?(?:本息|本金))|到期(?:还本付息|一次|还款|偿还|归还)|一次还清|本息一次"
        r"|bullet|lumpsum|inoneinstal",
    ),
)
_PATTERNS = tuple((name, re.compile(pattern, re.IGNORECASE)) for name, pattern in _METHODS)
_SAYS = re.compile(r"[^\W\d_无]")
_LONGEST = 500


def normalise_repayment(text: str) -> str | None:
    """The kind of repayment: equal_instalment, equal_principal, interest_first_bullet, bullet or other.

    Returns:
        The kind; other for any other wording; None where nothing is written.
    """
    wording = compact(text[:_LONGEST])
    for name, pattern in _PATTERNS:
        if pattern.search(wording):
            return name
    return "other" if _SAYS.search(wording) else None
