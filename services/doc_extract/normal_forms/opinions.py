"""Decisions on an application for credit."""

import re

from services.doc_extract.normal_forms.folding import compact

_REJECTED = re.compile(
    r"不同意|不予|否决|拒绝|不批准|未予?批准|未获批准|不通过|未通过|退回|reject|declin|refus|notapprove|disapprove",
    re.IGNORECASE,
)
_CONDITIONAL = re.compile(
    r"[附有]条件|但[须需应]?|(?:同意|批准|通过).{0,200}?(?:须|必须|前提|落实|满足|符合.{0,20}后|后方|后放款|后提款|以下条件|下列条件)"
    r"|落实.{0,60}后.{0,20}同意|conditional|subjectto|providedthat|onconditionthat",
    re.IGNORECASE,
)
_APPROVED = re.compile(r"同意|批准|准予|核准|通过|approve|agreed", re.IGNORECASE)
_LONGEST = 2000


def normalise_opinion(text: str) -> str | None:
    """The decision: approved, rejected or conditional; None where the text says none."""
    wording = compact(text[:_LONGEST])
    if _REJECTED.search(wording):
        return "rejected"
    if not _APPROVED.search(wording):
        return None
    return "conditional" if _CONDITIONAL.search(wording) else "approved"
