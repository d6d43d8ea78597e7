"""Results as messages to what the domain speaks, for those who call the service from Python."""

from bankai.doc_extract.v1 import doc_extract_pb2 as pb
from services.doc_extract.converters import KINDS, SOURCES, regions
from services.doc_extract.page import Source
from services.doc_extract.result import DocumentKind, Extraction, FieldValue, Finding, PageInfo

_KINDS = {int(number): kind for kind, number in KINDS.items()}
_SOURCES = {int(number): source for source, number in SOURCES.items()}


def extraction(result: pb.ExtractionResult) -> Extraction:
    """What was found in a document, as it is now."""
    places = {value.value_id: index for index, value in enumerate(result.values)}
    return Extraction(
        kind=_KINDS.get(result.document_kind, DocumentKind.OTHER),
        kind_confidence=result.document_kind_confidence,
        values=tuple(_value(value) for value in result.values),
        findings=tuple(_finding(finding, places) for finding in result.findings),
        pages=tuple(_page(page) for page in result.pages),
        schema_version=result.schema_version,
        model_version=result.model_version,
    )


def _value(value: pb.FieldValue) -> FieldValue:
    return FieldValue(
        field=value.field_id,
        text=value.text,
        norm=value.norm or None,
        confidence=value.confidence,
        needs_review=value.needs_review,
        start=value.text_start,
        end=value.text_end,
        regions=regions(value.evidence),
    )


def _finding(finding: pb.Finding, places: dict[int, int]) -> Finding:
    """A finding; of values that a person has removed there is nothing left to point at."""
    values = tuple(places[number] for number in finding.value_ids if number in places)
    return Finding(finding.check, finding.message, values, finding.field_id)


def _page(page: pb.PageInfo) -> PageInfo:
    return PageInfo(page.number, page.width, page.height, _SOURCES.get(page.source, Source.DIGITAL), page.rotation)
