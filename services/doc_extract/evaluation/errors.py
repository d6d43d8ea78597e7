"""What was missed and what was wrong, value by value, for whoever wants to know why."""

from collections.abc import Iterable, Iterator
from typing import Any

from services.doc_extract.evaluation.gold import GoldDocument
from services.doc_extract.evaluation.matching import match
from services.doc_extract.evaluation.scoring import Verdict


def errors(judged: Iterable[tuple[str, GoldDocument, Verdict]]) -> Iterator[dict[str, Any]]:
    """One JSON object for each value that is not right.

    Args:
        judged: What each document is called, what it says, what the service said of it.

    Yields:
        file, error ("missed" or "wrong"), field, text and norm; of a wrong value also page, confidence and
        needs_review.
    """
    for name, gold, verdict in judged:
        matched = match(gold.fields, verdict.extraction.values)
        for missed in matched.missed:
            yield {
                "file": name,
                "error": "missed",
                "field": missed.field,
                "text": missed.text,
                "norm": missed.norm,
            }
        for wrong in matched.wrong:
            yield {
                "file": name,
                "error": "wrong",
                "field": wrong.field,
                "text": wrong.text,
                "norm": wrong.norm,
                "page": wrong.regions[0].page if wrong.regions else None,
                "confidence": wrong.confidence,
                "needs_review": wrong.needs_review,
            }
