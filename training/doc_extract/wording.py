"""Our own wording of documents, with slots where values stand: training/doc_extract/wording/.

A slot is `{field:form#number}`, or `{field#number:form}`: which field, how it is printed, which loan or party of
several; form and number may be left out. `{-kind:form}` prints something of no role, `{field.short}` a party's short
name. `[[field|text]]` is a value that the writer chose. A tab ends a cell, a line break a paragraph.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from training.paths import ROOT

FOLDER = ROOT / "training" / "doc_extract" / "wording"

SENTENCES = "sentences"

_SLOT = re.compile(
    r"\{(?P<none>-)?(?P<name>[a-z_]+)(?P<short>\.short)?(?:#(?P<number>\d+))?(?::(?P<form>\w+))?(?:#(?P<last>\d+))?\}"
    r"|\[\[(?P<field>[a-z_]+)(?:#\d+)?\|(?P<text>.+?)\]\]"
)


@dataclass(frozen=True, slots=True)
class Slot:
    """A place that a value is printed at.

    Attributes:
        name: Id of the field; for something of no role what sort of thing it is.
        form: How it is printed; empty for any way.
        number: Which of several.
        labelled: Whether what is printed is a value of the field.
        short: Whether a party's short name is printed.
        text: What is printed, where the writer chose; else empty.
    """

    name: str
    form: str = ""
    number: int = 1
    labelled: bool = True
    short: bool = False
    text: str = ""


Piece = str | Slot


@dataclass(frozen=True, slots=True)
class Wording:
    """One document, or one sentence, with slots.

    Attributes:
        kind: Name of its folder: a document kind, or SENTENCES.
        source: Name of its file.
        pieces: Text and slots in order.
    """

    kind: str
    source: str
    pieces: Sequence[Piece]


def parse(text: str) -> list[Piece]:
    """Splits wording into text and slots."""
    pieces: list[Piece] = []
    at = 0
    for match in _SLOT.finditer(text):
        if match.start() > at:
            pieces.append(text[at : match.start()])
        if match["field"]:
            pieces.append(Slot(match["field"], text=match["text"]))
        else:
            short = match["short"] is not None
            pieces.append(
                Slot(
                    match["name"],
                    match["form"] or "",
                    int(match["number"] or match["last"] or 1),
                    labelled=not (match["none"] or short),
                    short=short,
                )
            )
        at = match.end()
    if at < len(text):
        pieces.append(text[at:])
    return pieces


def read(folder: Path = FOLDER) -> Iterator[Wording]:
    """Every document and sentence, in the order of the files' names."""
    for file in sorted(folder.glob("*/*.txt")):
        text = file.read_text(encoding="utf-8")
        kind = file.parent.name
        for part in text.splitlines() if kind == SENTENCES else (text.rstrip("\n"),):
            if part.strip():
                yield Wording(kind, file.stem, parse(part))
