"""`bankai eval documents` and `bankai eval sentences`."""

from pathlib import Path
from typing import Annotated, Any

import typer

METRICS = (
    ("n_files", "documents or sentences judged"),
    ("n_fields", "values of gold; what one says twice counts once"),
    ("precision", "of the values found, those that are right in text or normal form"),
    ("recall", "of gold's values, those that were found"),
    ("f1", "of these two"),
    ("norm_exact", "of the right values, those whose normal form is gold's"),
    ("box_iou_hit", "of the right values, those whose boxes share half of their area with gold's"),
    ("check_precision", "of the contradictions reported, those that are there"),
    ("check_recall", "of the contradictions that are there, those reported"),
    ("accepted_precision", "of the values that need no review, those that are right"),
    ("review_share", "of the values found, those that need review"),
    ("ece", "distance of confidence from being right"),
    ("s_per_page", "seconds for a page, one document at a time"),
)

_Errors = Annotated[
    Path | None, typer.Option(help="Write what was missed and what is wrong, a line each.", metavar="FILE.jsonl")
]


def eval_documents(
    folder: Annotated[Path, typer.Argument(help="Folder with documents and a gold.json.", metavar="DIR")],
    errors: _Errors = None,
) -> None:
    """Judge extraction on documents whose fields are known.

    Extracts every document that DIR/gold.json names, in this process and as the service would. A value is right when
    its text, white space and width of characters apart, or its normal form equals gold's.

    \b
    Example:
      bankai eval documents my-contracts/ --errors wrong.jsonl
    \b
    gold.json:
      {"contract.pdf": {"fields": [{"field": "amount", "text": "785万元", "norm": "7850000.00",
                                    "where": [{"page": 1, "boxes": [[170, 98, 230, 110]]}]}],
                        "flags": ["term_dates_mismatch"]}}
    norm and where may be null or left out: then they are not judged. Boxes are left, top, right, bottom in points
    (1/72 inch) from the upper left corner of the page as it is read upright.
    """
    from services.doc_extract.cli.judging import documents

    _report(documents(folder, errors))


def eval_sentences(
    file: Annotated[Path, typer.Argument(help='JSON list of {"text", "fields"}.', metavar="FILE.json")],
    errors: _Errors = None,
) -> None:
    """Judge extraction on plain sentences whose fields are known.

    \b
    Example:
      bankai eval sentences my-sentences.json
    \b
    The file:
      [{"text": "期限36个月", "fields": [{"field": "term", "start": 2, "end": 6, "text": "36个月", "norm": "P36M"}]}]
    """
    from services.doc_extract.cli.judging import sentences

    _report(sentences(file, errors))


def _report(found: dict[str, Any]) -> None:
    """Prints a line for each field, and then what `report` prints."""
    from rich.table import Table

    from bankai.cli.report import DIGITS, report, screen

    table = Table("field", "values", "precision", "recall", "F1")
    for column in table.columns[1:]:
        column.justify = "right"
    for field, quality in found["by_field"].items():
        numbers = ("-" if value is None else f"{round(value, DIGITS):,}" for value in quality.values())
        table.add_row(field, *numbers)
    screen().print(table)
    report(found, METRICS)
