"""What extraction answers: field values with their evidence, findings, and what they rest on."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.doc_extract.page import Source
from services.doc_extract.text import Region


class DocumentKind(StrEnum):
    """What a document is."""

    APPROVAL_NOTICE = "approval_notice"
    LOAN_CONTRACT = "loan_contract"
    GUARANTEE_CONTRACT = "guarantee_contract"
    COLLATERAL_CONTRACT = "collateral_contract"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class FieldValue:
    """One value of one field.

    Attributes:
        field: Id of the field in the schema.
        text: As printed.
        norm: Normal form of the field's kind; None where the text has none.
        confidence: Calibrated probability that the value is right.
        needs_review: Whether a person must confirm it: its confidence is below the field's threshold.
        start: Where its text begins in the document's text.
        end: Where it ends.
        regions: Where it stands on the pages.
    """

    field: str
    text: str
    norm: str | None
    confidence: float
    needs_review: bool
    start: int
    end: int
    regions: Sequence[Region]


@dataclass(frozen=True, slots=True)
class Finding:
    """A contradiction inside the document, or something that should stand there and does not.

    Attributes:
        check: Id of the check.
        message: What disagrees, in words.
        values: Places in `Extraction.values` of the sides that disagree; empty where something is missing.
        field: Field that is missing, for required_field_blank.
    """

    check: str
    message: str
    values: Sequence[int] = ()
    field: str = ""


@dataclass(frozen=True, slots=True)
class PageInfo:
    """How one page was read.

    Attributes:
        number: From 1.
        width: In points, upright; 0 where the format has no pages.
        height: In points, upright.
        source: Digital text or OCR.
        rotation: Degrees, clockwise, by which it was turned to be upright.
    """

    number: int
    width: float
    height: float
    source: Source
    rotation: int


@dataclass(frozen=True, slots=True)
class Extraction:
    """All that was found in one document.

    Attributes:
        kind: What the document is.
        kind_confidence: Probability of that.
        values: Values in the order of the text.
        findings: What the checks found.
        pages: How each page was read.
        schema_version: Version of the schema that named the fields.
        model_version: Version of the models that read and understood.
    """

    kind: DocumentKind
    kind_confidence: float
    values: Sequence[FieldValue]
    findings: Sequence[Finding]
    pages: Sequence[PageInfo]
    schema_version: str
    model_version: str
