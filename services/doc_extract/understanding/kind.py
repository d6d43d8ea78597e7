"""What a document is, by what it calls itself and what it speaks of."""

import math
import re

from services.doc_extract.result import DocumentKind
from services.doc_extract.text import BREAK
from services.doc_extract.understanding.windows import title

_APPROVAL = re.compile(
    r"审批|批复|授信.{0,6}通知|贷审会|额度.{0,4}通知|审查意见|放款.{0,2}单"
    r"|credit (?:approval|committee|memo)|approval (?:notice|memo)",
    re.IGNORECASE,
)
_SUBJECTS = (
    (DocumentKind.COLLATERAL_CONTRACT, r"抵押|质押|抵质押|mortgage|pledge|security agreement|deed of trust|charge"),
    (DocumentKind.GUARANTEE_CONTRACT, r"保证(?!金)|担保|保函|guarant"),
    (DocumentKind.LOAN_CONTRACT, r"[借贷]款|授信|借据|借条|融资|借贷|loan|facility|credit agreement|promissory note"),
)
_WORDS = (
    (DocumentKind.APPROVAL_NOTICE, r"审批意见|批复文号|审批结论|贷审会|经办行|审批人|终审意见"),
    (DocumentKind.COLLATERAL_CONTRACT, r"抵押权人|抵押人|质权人|出质人|抵押物清单"),
    (DocumentKind.GUARANTEE_CONTRACT, r"保证人|债权人|保证期间|连带责任保证|guarantor"),
    (DocumentKind.LOAN_CONTRACT, r"借款[人方]|贷款[人方]|借款用途|还款计划|borrower|lender"),
)
_TITLE_WEIGHT = 3.0
_WORD_WEIGHT = 0.25
_OTHER_WEIGHT = 1.5
"""What speaks for none of the kinds before anything is read."""
_MOST_WORDS = 8
_CHARS = 6000
"""The beginning of a document says what it is."""


def document_kind(text: str) -> tuple[DocumentKind, float]:
    """The likeliest kind, and its share of the evidence (softmax of weighted counts; not calibrated)."""
    head = text[:_CHARS]
    heading = title(head) or head.split(BREAK, 1)[0][:60]
    scores = {DocumentKind.OTHER: _OTHER_WEIGHT} | {kind: 0.0 for kind, _ in _WORDS}
    named = _named(heading)
    if named:
        scores[named] += _TITLE_WEIGHT
    for kind, pattern in _WORDS:
        scores[kind] += _WORD_WEIGHT * min(_MOST_WORDS, len(re.findall(pattern, head, re.IGNORECASE)))
    best = max(scores, key=lambda kind: scores[kind])
    total = sum(math.exp(score) for score in scores.values())
    return best, math.exp(scores[best]) / total


def _named(heading: str) -> DocumentKind | None:
    """What a title names: an approval, whatever it approves, else its last subject: 抵押借款合同 is about a loan."""
    if _APPROVAL.search(heading):
        return DocumentKind.APPROVAL_NOTICE
    ends = {
        kind: max((found.end() for found in re.finditer(pattern, heading, re.IGNORECASE)), default=0)
        for kind, pattern in _SUBJECTS
    }
    last = max(ends, key=lambda kind: ends[kind])
    return last if ends[last] else None
