"""How a result looks on a terminal."""

from collections.abc import Iterator, Mapping

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from bankai.doc_extract.v1 import doc_extract_pb2 as pb

KINDS = {
    pb.DOCUMENT_KIND_APPROVAL_NOTICE: "approval notice 授信批复",
    pb.DOCUMENT_KIND_LOAN_CONTRACT: "loan contract 借款合同",
    pb.DOCUMENT_KIND_GUARANTEE_CONTRACT: "guarantee contract 保证合同",
    pb.DOCUMENT_KIND_COLLATERAL_CONTRACT: "collateral contract 抵押质押合同",
}


def heading_of(name: str, result: pb.ExtractionResult) -> Text:
    """What the document is, and how it was read."""
    scanned = sum(page.source == pb.PAGE_SOURCE_OCR for page in result.pages)
    pages = f"{len(result.pages)} page{'s' * (len(result.pages) != 1)}" + (f", {scanned} scanned" if scanned else "")
    kind = KINDS.get(result.document_kind, "other document")
    return Text.assemble(
        (name, "bold"), f"  {kind} {result.document_kind_confidence:.2f}, {pages}, id {result.result_id}"
    )


def values_of(result: pb.ExtractionResult, names: Mapping[str, pb.Field]) -> Table:
    """The values, in the order of the text."""
    table = Table("no", "field", "", "as printed", "normal form", "page", "confidence", "")
    for column in (0, 5, 6):
        table.columns[column].justify = "right"
    for column in (3, 4):
        table.columns[column].overflow = "fold"
    for value in result.values:
        field = names.get(value.field_id)
        table.add_row(
            str(value.value_id),
            value.field_id,
            escape(field.name_zh or field.name_en) if field else "",
            escape(value.text),
            escape(value.norm) or "-",
            ",".join(str(place.page) for place in value.evidence) or "-",
            f"{value.confidence:.2f}",
            Text("review", "yellow") if value.needs_review else "",
        )
    return table


def findings_of(result: pb.ExtractionResult, names: Mapping[str, pb.Field]) -> Iterator[Text]:
    """The contradictions and what is missing, a line each."""
    for finding in result.findings:
        if finding.field_id:
            field = names.get(finding.field_id)
            where = f"{finding.field_id} {field.name_zh if field else ''}".strip()
        else:
            where = "values " + ", ".join(map(str, finding.value_ids))
        yield Text.assemble(("▲ ", "bold red"), (finding.check, "bold red"), f" ({where}): {finding.message}")
