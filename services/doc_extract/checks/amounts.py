"""Amounts in words against amounts in figures."""

from collections.abc import Iterator

from services.doc_extract.checks.facts import NEAR, Facts
from services.doc_extract.result import Finding


def check_amounts(facts: Facts) -> Iterator[Finding]:
    """amount_upper_mismatch: an amount in words (大写) that no amount in figures beside it agrees with."""
    for words in facts.of("amount_upper"):
        beside = [figures for figures in facts.of("amount") if facts.distance(words, figures) <= NEAR]
        if beside and all(facts.norm(figures) != facts.norm(words) for figures in beside):
            figures = min(beside, key=lambda each: facts.distance(words, each))
            yield Finding(
                "amount_upper_mismatch",
                f"{facts.values[words].text} is {facts.norm(words)}, but {facts.values[figures].text} is "
                f"{facts.norm(figures)}",
                tuple(sorted((words, figures))),
            )
