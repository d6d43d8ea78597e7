"""Real templates of loan and security contracts, filled in: `python -m training.doc_extract.templates OUT`.

Writes documents and their gold.json as `bankai eval documents` reads them. The wording is that of real banks; what is
filled in is our own. The templates' text is not ours to give: templates.yaml says which blank of which template takes
which slot of training/doc_extract/wording.py, and nothing of what stands around it.
"""

import argparse
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from random import Random
from typing import Any

import yaml

from services.doc_extract.candidate import ValueKind
from services.doc_extract.normal_forms.registry import normalise
from services.doc_extract.schema import credit
from training.doc_extract.filling import Filled, fill
from training.doc_extract.wording import Wording, parse
from training.paths import ROOT, public

ANNOTATIONS = ROOT / "training" / "doc_extract" / "templates.yaml"
_FOLDER = ("zh-loan-templates", "txt")
_BLANK = re.compile(
    r"[＿_]+(?: *[＿_]+)*|(?<=\S) +(?=\S)|(?<=[：:号数]) *(?=\n|$)|(?<=\S) +(?=\n|$)",
)
_HEADER = "法律法规查询"
"""What the site that the templates come from puts above each."""
_PLACE = re.compile(r"(?P<before>\d+)\.(?P<first>\d+)-(?P<last>\d+)\.(?P<behind>\d+)")
LEFT_BLANK = 1 / 3


@dataclass(frozen=True, slots=True)
class Document:
    """A filled template.

    Attributes:
        name: Of the template.
        text: Of the document.
        fields: Its values as gold.json has them, with the characters where they stand as "span".
    """

    name: str
    text: str
    fields: list[dict[str, Any]]


def documents(split: str, random: Random) -> Iterator[Document]:
    """Every template of a split, filled once.

    Raises:
        SystemExit: The data set is not there.
    """
    for name, entry in _annotations(split).items():
        filled = fill(Wording(entry["kind"], name, parse(_wording(name, entry["blanks"], random))), random)
        yield Document(name, filled.text, _fields(filled))


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
        if random.random() < LEFT_BLANK:
            continue
        out += [text[at:start], slot]
        at = end
    return "".join([*out, text[at:]])


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


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="OUT", help="folder to write")
    parser.add_argument("--split", choices=("dev", "test"), default="dev", help="default: %(default)s")
    parser.add_argument("--copies", type=int, default=3, help="fillings of each template (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the values (default: %(default)s)")
    options = parser.parse_args()
    random = Random(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    gold = {}
    for copy in range(options.copies):
        for document in documents(options.split, random):
            file = f"{document.name}_{copy}.txt"
            (options.out / file).write_text(document.text, encoding="utf-8")
            gold[file] = {"fields": document.fields}
    (options.out / "gold.json").write_text(json.dumps(gold, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"{options.out}: {len(gold)} documents with {sum(len(each['fields']) for each in gold.values())} values")


if __name__ == "__main__":
    main()
