"""Messages of the API to what the domain speaks, and back: documents, results and reviews."""

import math
from collections.abc import Iterable, Sequence

from bankai.doc_extract.v1 import doc_extract_pb2 as pb
from bankai.errors import FieldViolation, InvalidRequestError
from bankai.timestamps import timestamp
from services.doc_extract.page import Box, Source
from services.doc_extract.result import DocumentKind, Finding, PageInfo
from services.doc_extract.review import Add, Confirm, Correction, Origin, Remove, Replace, Review, ReviewedValue
from services.doc_extract.submission import Result, ResultSummary
from services.doc_extract.text import Region
from services.doc_extract.uploads import BatchConfig, DocumentConfig, Message

KINDS = {
    DocumentKind.APPROVAL_NOTICE: pb.DOCUMENT_KIND_APPROVAL_NOTICE,
    DocumentKind.LOAN_CONTRACT: pb.DOCUMENT_KIND_LOAN_CONTRACT,
    DocumentKind.GUARANTEE_CONTRACT: pb.DOCUMENT_KIND_GUARANTEE_CONTRACT,
    DocumentKind.COLLATERAL_CONTRACT: pb.DOCUMENT_KIND_COLLATERAL_CONTRACT,
    DocumentKind.OTHER: pb.DOCUMENT_KIND_OTHER,
}
ORIGINS = {
    Origin.EXTRACTED: pb.VALUE_ORIGIN_EXTRACTED,
    Origin.CONFIRMED: pb.VALUE_ORIGIN_CONFIRMED,
    Origin.CORRECTED: pb.VALUE_ORIGIN_CORRECTED,
    Origin.ADDED: pb.VALUE_ORIGIN_ADDED,
}
SOURCES = {Source.DIGITAL: pb.PAGE_SOURCE_DIGITAL, Source.OCR: pb.PAGE_SOURCE_OCR}


def extract_message(message: pb.ExtractRequest) -> Message:
    """What the client sent; a message with neither config nor chunk is an empty chunk."""
    return _document_config(message.config) if message.HasField("config") else message.chunk


def batch_message(message: pb.BatchExtractRequest) -> Message:
    """What the client sent; a message with nothing in it is an empty chunk."""
    match message.WhichOneof("message"):
        case "config":
            return BatchConfig(message.config.request_id)
        case "document":
            return _document_config(message.document)
        case _:
            return message.chunk


def result_message(result: Result) -> pb.ExtractionResult:
    """A result as it is now."""
    asked, extraction = result.submission, result.extraction
    return pb.ExtractionResult(
        result_id=result.id,
        request_id=asked.request_id,
        file_name=asked.file_name,
        create_time=timestamp(result.created),
        schema_id=asked.schema_id,
        schema_version=extraction.schema_version,
        model_version=extraction.model_version,
        document_kind=KINDS[extraction.kind],
        document_kind_confidence=extraction.kind_confidence,
        values=[_value(value) for value in result.values()],
        findings=[_finding(finding) for finding in extraction.findings],
        pages=[_page(page) for page in extraction.pages],
        revision=result.revision,
    )


def summary_message(summary: ResultSummary) -> pb.ResultSummary:
    """A result in short."""
    return pb.ResultSummary(
        result_id=summary.id,
        request_id=summary.request_id,
        file_name=summary.file_name,
        create_time=timestamp(summary.created),
        schema_id=summary.schema_id,
        document_kind=KINDS[DocumentKind(summary.document_kind)],
        values_to_review=summary.to_review,
        findings=summary.findings,
        revision=summary.revision,
    )


def review_message(review: Review) -> pb.Review:
    """A review as it is kept."""
    return pb.Review(
        revision=review.revision,
        reviewer=review.reviewer,
        channel=review.channel,
        create_time=timestamp(review.created),
        corrections=[_correction_message(correction) for correction in review.corrections],
    )


def corrections(messages: Iterable[pb.Correction]) -> Sequence[Correction]:
    """What a person said.

    Raises:
        InvalidRequestError: REVIEW_INVALID, where a correction says nothing.
    """
    return [_correction(message, index) for index, message in enumerate(messages)]


def regions(evidence: Iterable[pb.Evidence]) -> tuple[Region, ...]:
    """Where a value stands."""
    return tuple(
        Region(place.page, tuple(Box(box.left, box.top, box.right, box.bottom) for box in place.boxes))
        for place in evidence
    )


def _document_config(config: pb.ExtractConfig) -> DocumentConfig:
    return DocumentConfig(
        request_id=config.request_id,
        schema_id=config.schema_id,
        file_name=config.file_name,
        timeout_s=config.timeout.ToMilliseconds() / 1000 if config.HasField("timeout") else math.inf,
    )


def _value(reviewed: ReviewedValue) -> pb.FieldValue:
    value = reviewed.value
    return pb.FieldValue(
        value_id=reviewed.id,
        field_id=value.field,
        text=value.text,
        norm=value.norm or "",
        confidence=value.confidence,
        needs_review=reviewed.needs_review,
        evidence=[_evidence(region) for region in value.regions],
        text_start=value.start,
        text_end=value.end,
        origin=ORIGINS[reviewed.origin],
    )


def _evidence(region: Region) -> pb.Evidence:
    boxes = [pb.Box(left=box.left, top=box.top, right=box.right, bottom=box.bottom) for box in region.boxes]
    return pb.Evidence(page=region.page, boxes=boxes)


def _finding(finding: Finding) -> pb.Finding:
    return pb.Finding(
        check=finding.check,
        message=finding.message,
        value_ids=[index + 1 for index in finding.values],
        field_id=finding.field,
    )


def _page(page: PageInfo) -> pb.PageInfo:
    return pb.PageInfo(
        number=page.number,
        width=page.width,
        height=page.height,
        source=SOURCES[page.source],
        rotation=page.rotation,
    )


def _correction_message(correction: Correction) -> pb.Correction:
    match correction:
        case Confirm(value_id):
            return pb.Correction(confirm=pb.Confirm(value_id=value_id))
        case Replace(value_id, text, norm):
            return pb.Correction(replace=pb.Replace(value_id=value_id, text=text, norm=norm or ""))
        case Remove(value_id):
            return pb.Correction(remove=pb.Remove(value_id=value_id))
        case Add(field, text, norm, regions):
            evidence = [_evidence(region) for region in regions]
            return pb.Correction(add=pb.Add(field_id=field, text=text, norm=norm or "", evidence=evidence))


def _correction(message: pb.Correction, index: int) -> Correction:
    match message.WhichOneof("action"):
        case "confirm":
            return Confirm(message.confirm.value_id)
        case "replace":
            return Replace(message.replace.value_id, message.replace.text, message.replace.norm or None)
        case "remove":
            return Remove(message.remove.value_id)
        case "add":
            added = message.add
            return Add(added.field_id, added.text, added.norm or None, regions(added.evidence))
        case _:
            where, what = f"corrections[{index}]", "must confirm, replace, remove or add"
            raise InvalidRequestError("REVIEW_INVALID", f"{where} {what}", violations=[FieldViolation(where, what)])
