"""The templates of templates.yaml, filled in.

The wording is that of real banks; what is filled in is our own. The templates' text is not ours to give: templates.yaml
says which blank of which template takes which slot of training/doc_extract/wording.py, and nothing of what stands
around it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from random import Random
from typing import Any

import yaml

from services.doc_extract.candidate import ValueKind
from services.doc_extract.normal_forms.registry import normalise
from services.doc_extract.result import DocumentKind
from services.doc_extract.schema import credit
from training.doc_extract.filling import Filled, fill
from training.doc_extract.templates.contradictions import KEPT, contradicted
from training.doc_extract.wording import SENTENCES, Wording, parse
from training.paths import public

ANNOTATIONS = Path(__file__).parent / "templates.yaml"
LEFT_BLANK = 1 / 3
"""Share of the blanks that stay as they are."""
CONTRADICTED = 0.3
"""Share of the documents that contradict themselves, where their template lets them."""
_FOLDER = ("zh-loan-templates", "txt")
_BLANK = re.compile(
    r"[＿_]+(?: *[＿_]+)*|(?<=\S) +(?=\S)|(?<=[：:号数]) *(?=\n|$)|(?<=\S) +(?=\n|$)",
)
_HEADER = "法律法规查询"
"""What the site that the templates come from puts above each."""
_PLACE = re.compile(r"(?P<before>\d+)\.(?P<first>\d+)-(?P<last>\d+)\.(?P<behind>\d+)")


@dataclass(frozen=True, slots=True)
class Document:
    """A filled template.

    Attributes:
        name: Of the template.
        text: Of the document.
        fields: Its values as gold.json has them, with the characters where they stand as "span".
        flags: Ids of the checks that must find something.
    """

    name: str
    text: str
    fields: list[dict[str, Any]]
    flags: list[str]


def documents(split: str, random: Random) -> Iterator[Document]:
    """Every template of a split, filled once.

    Raises:
        SystemExit: The data set is not there.
    """
    for name, entry in _annotations(split).items():
        blanks, flags = entry["blanks"], list[str]()
        if random.random() < CONTRADICTED:
            blanks, flags = contradicted(blanks, random)
        wording = _wording(name, blanks, random)
        for field, text in entry.get("fixed", {}).items():
            wording = wording.replace(text, f"[[{field}|{text}]]", 1)
        filled = fill(Wording(SENTENCES, name, parse(wording)), random)
        fields = _fields(filled)
        yield Document(name, filled.text, fields, [*flags, *_blank(fields, DocumentKind(entry["kind"]))])


def _annotations(split: str) -> Mapping[str, Any]:
    entries: Mapping[str, Any] = yaml.safe_load(ANNOTATIONS.read_text(encoding="utf-8"))[split]
    return entries


def _wording(name: str, blanks: Mapping[str, str], random: Random) -> str:
    """The template's text with slots at some of its blanks; a slot's blanks are left as they are now and then."""
    lines = (line.strip() for line in public(*_FOLDER, f"{name}.txt").read_text(encoding="utf-8").splitlines())
    text = "\n".join(line for line in lines if line and line != _HEADER).replace("{", "｛").replace("}", "｝")
    places = [match.span() for match in _BLANK.finditer(text)]
    out, at = [], 0
    for place, slot in blanks.items():
        found = _PLACE.fullmatch(place) or _PLACE.fullmatch(f"0.{place}-{place}.0")
        if found is None:
            raise ValueError(f"{name}: {place!r} is no place")
        start = places[int(found["first"])][0] - int(found["before"])
        end = places[int(found["last"])][1] + int(found["behind"])
        if random.random() < LEFT_BLANK and not slot.startswith(KEPT):
            continue
        out += [text[at:start], slot.removeprefix(KEPT)]
        at = end
    return "".join([*out, text[at:]])


def _blank(fields: Sequence[Mapping[str, Any]], kind: DocumentKind) -> list[str]:
    present = {field["field"] for field in fields}
    missing = any(field.id not in present for field in credit().required_in(kind))
    return ["required_field_blank"] if missing else []


def _fields(filled: Filled) -> list[dict[str, Any]]:
    kinds = {field.id: field.kind for field in credit().fields}
    fields = []
    for number, group in groupby(enumerate(filled.values), key=lambda each: each[1]):
        places = [place for place, _ in group]
        if number < 0:
            continue
        start, end = places[0], places[-1] + 1
        field, text = filled.fields[number], filled.text[start:end]
        named = kinds[field] in {ValueKind.PARTY, ValueKind.TEXT}
        norm = None if named else normalise(kinds[field], text, filled.text[max(0, start - 12) : start])
        fields.append({"field": field, "text": text, "norm": norm, "span": [start, end]})
    return fields
