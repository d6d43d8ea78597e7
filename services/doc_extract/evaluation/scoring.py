"""Metrics of extraction: `bankai eval documents` and `bankai eval sentences`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bankai.evaluation import metrics
from services.doc_extract.evaluation.gold import GoldDocument
from services.doc_extract.evaluation.matching import Matched, match, same_place
from services.doc_extract.result import Extraction


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the service said of one document.

    Attributes:
        extraction: Its answer.
        seconds: How long it took.
    """

    extraction: Extraction
    seconds: float


def judge(gold: Sequence[GoldDocument], verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """The metrics over all documents; what is not defined by the data is None."""
    matched = [match(each.fields, verdict.extraction.values) for each, verdict in zip(gold, verdicts, strict=True)]
    pairs = [pair for each in matched for pair in each.pairs]
    judged = [
        (set(each.flags), verdict) for each, verdict in zip(gold, verdicts, strict=True) if each.flags is not None
    ]
    flags = [wanted for wanted, _ in judged]
    findings = [{finding.check for finding in verdict.extraction.findings} for _, verdict in judged]
    hits = sum(len(wanted & seen) for wanted, seen in zip(flags, findings, strict=True))
    sure = [(value, True) for _, value in pairs] + [(value, False) for each in matched for value in each.wrong]
    pages = sum(len(verdict.extraction.pages) for verdict in verdicts)
    return {
        "n_files": len(gold),
        "n_fields": sum(len(each.pairs) + len(each.missed) for each in matched),
        **_quality(matched),
        "norm_exact": metrics.share(ours.norm == theirs.norm for theirs, ours in pairs if theirs.norm is not None),
        "box_iou_hit": metrics.share(same_place(theirs.where, ours.regions) for theirs, ours in pairs if theirs.where),
        "check_precision": metrics.ratio(hits, sum(map(len, findings))),
        "check_recall": metrics.ratio(hits, sum(map(len, flags))),
        "accepted_precision": metrics.share(right for value, right in sure if not value.needs_review),
        "review_share": metrics.share(value.needs_review for value, _ in sure),
        "ece": metrics.expected_calibration_error(
            [value.confidence for value, _ in sure], [right for _, right in sure]
        ),
        "by_field": {field: _of_field(matched, field) for field in _fields(matched)},
        "s_per_page": metrics.ratio(sum(verdict.seconds for verdict in verdicts), pages),
    }


def _quality(matched: Sequence[Matched]) -> dict[str, float | None]:
    right = sum(len(each.pairs) for each in matched)
    missed = sum(len(each.missed) for each in matched)
    wrong = sum(len(each.wrong) for each in matched)
    return {
        "precision": metrics.ratio(right, right + wrong),
        "recall": metrics.ratio(right, right + missed),
        "f1": metrics.ratio(2 * right, 2 * right + wrong + missed),
    }


def _fields(matched: Sequence[Matched]) -> list[str]:
    gold = (value.field for each in matched for value in (*each.missed, *(theirs for theirs, _ in each.pairs)))
    found = (value.field for each in matched for value in each.wrong)
    return sorted({*gold, *found})


def _of_field(matched: Sequence[Matched], field: str) -> dict[str, float | None]:
    of_it = [
        Matched(
            [pair for pair in each.pairs if pair[0].field == field],
            [value for value in each.missed if value.field == field],
            [value for value in each.wrong if value.field == field],
        )
        for each in matched
    ]
    return {"n": sum(len(each.pairs) + len(each.missed) for each in of_it), **_quality(of_it)}
