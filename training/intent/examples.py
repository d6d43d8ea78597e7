"""Everything that the intent model learns from, as one kind of row."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from training import corpora
from training.intent.taxonomy import LABELS_DIR, taxonomy
from training.paths import CORPUS_DIR

BUSINESS_ONLY = ("chitchat", "human_agent", "out_of_scope")
"""What everyday talk from elsewhere may well be; of it we only know that it asks for none of the bank's business."""


@dataclass(frozen=True)
class Example:
    """One utterance and what is known of it.

    Attributes:
        text: What was said.
        source: Where it comes from: a corpus batch or a public set.
        intents: Ids of the intents that hold; None where unknown.
        emotion: Id of the emotion; None where unknown.
        intensity: Strength of the emotion in [0, 1]; None where unknown.
        no_business: It is known to ask for none of the bank's business, but not which of `BUSINESS_ONLY` it is.
    """

    text: str
    source: str
    intents: tuple[str, ...] | None = None
    emotion: str | None = None
    intensity: float | None = None
    no_business: bool = False


def corpus(batches: str) -> list[Example]:
    """Our own utterances: batches "train", "val" or "test", calls included for "train"."""
    found = [
        Example(row["text"], path.stem, tuple(row["intents"]), row["emotion"], row["intensity"])
        for path in sorted((CORPUS_DIR / "utterances").glob(f"{batches}_*.jsonl"))
        for row in _lines(path.read_text(encoding="utf-8"))
    ]
    if batches == "train":
        found += _call_turns()
    return found


def _call_turns() -> Iterator[Example]:
    for call in _lines((CORPUS_DIR / "calls" / "train.jsonl").read_text(encoding="utf-8")):
        for turn in call["turns"]:
            if turn["speaker"] == "caller":
                yield Example(turn["text"], "calls", None, turn["emotion"])


def _lines(text: str) -> Iterator[dict[str, Any]]:
    return (json.loads(line) for line in text.splitlines() if line.strip())


def public() -> list[Example]:
    """The licensed public sets, mapped to our labels by labels/public_*.yaml."""
    intents = yaml.safe_load((LABELS_DIR / "public_intents.yaml").read_text(encoding="utf-8"))
    emotions = yaml.safe_load((LABELS_DIR / "public_emotions.yaml").read_text(encoding="utf-8"))
    rows: list[Example] = []
    rows += _intent_rows("banking77", ((t, [i]) for t, i in corpora.banking77("train")), intents["banking77"])
    rows += _intent_rows("clinc150", ((t, [i]) for t, i in corpora.clinc150("train")), intents["clinc150"])
    rows += _intent_rows("multidogo", corpora.multidogo_finance(), intents["multidogo"])
    rows += _intent_rows("nlupp", corpora.nlupp_banking(), intents["nlupp"])
    rows += _emotion_rows("cped", ((t, [e]) for t, e in corpora.cped()), emotions["cped"])
    rows += _emotion_rows("goemotions", corpora.goemotions(), emotions["goemotions"])
    return rows


def _intent_rows(source: str, rows: Iterable[tuple[str, list[str]]], mapping: dict[str, Any]) -> Iterator[Example]:
    seen: set[str] = set()
    for text, theirs in rows:
        ours = tuple(intent for intent in mapping if _holds(mapping[intent], set(theirs)))
        if ours and text not in seen and len(ours) <= 2:
            seen.add(text)
            yield Example(text, source, ours)


def _holds(rule: list[str] | dict[str, list[str]], theirs: set[str]) -> bool:
    if isinstance(rule, dict):
        return set(rule["all_of"]) <= theirs
    return len(theirs) == 1 and bool(theirs & set(rule))


def _emotion_rows(
    source: str, rows: Iterable[tuple[str, list[str]]], mapping: dict[str, list[str]]
) -> Iterator[Example]:
    ours_by_theirs = {theirs: ours for ours, names in mapping.items() for theirs in names}
    for text, theirs in rows:
        ours = {ours_by_theirs[name] for name in theirs if name in ours_by_theirs}
        if len(ours) == 1:
            yield Example(text, source, emotion=ours.pop(), no_business=True)


def check(examples: Iterable[Example]) -> None:
    """Raises ValueError for the first row whose labels are not in the taxonomy."""
    intents, emotions = set(taxonomy().intent_ids), {None, *taxonomy().emotion_ids}
    for example in examples:
        if not set(example.intents or ()) <= intents or example.emotion not in emotions:
            raise ValueError(f"{example.source}: unknown label in {example}")
