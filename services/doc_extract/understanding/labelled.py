"""Values that stand right behind a label of their field: in forms, and wherever a bank's own fields are looked for."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from services.doc_extract.candidate import FREE, Candidate, ValueKind, forms_of
from services.doc_extract.normal_forms.folding import fold
from services.doc_extract.normal_forms.registry import normalise
from services.doc_extract.schema import FieldSpec
from services.doc_extract.text import BREAK, CELL

_REACH = 16
"""Characters of unit, sign and words that may stand between a label and its value: （大写）人民币, 为, 约定为."""
_SEPARATOR = rf"(?:[(][^)\n\t]{{0,12}}[)])?[ ]*(?P<sign>[:{CELL}]|为|是|系)[ ]*"
_LONGEST = 200
_CLAUSE_END = re.compile(rf"[{CELL}{BREAK}。;]")
_PARTY_END = re.compile(rf"[{CELL}{BREAK}。;,、(]| {{2,}}")
_BLANK = re.compile(r"[\s_/\\\-—.:,、]*(?:无|年|月|日|元|万元|%|‰)?[\s_/\\\-—.:]*")


@dataclass(frozen=True, slots=True)
class LabelledValue:
    """A value behind a label.

    Attributes:
        field: Id of the field.
        start: Where its text begins.
        end: Where it ends.
        norm: Its normal form.
    """

    field: str
    start: int
    end: int
    norm: str


class Labels:
    """The labels of a schema's fields.

    Args:
        fields: The fields to look for. A label that several have belongs to the first.
    """

    def __init__(self, fields: Sequence[FieldSpec]) -> None:
        self._fields: dict[str, FieldSpec] = {}
        for field in fields:
            for alias in field.aliases:
                self._fields.setdefault(fold(alias).lower(), field)
        longest_first = sorted(self._fields, key=len, reverse=True)
        words = "|".join(map(re.escape, longest_first))
        # A label that is only the end of a longer word (反担保人: 担保人) is another label.
        self._pattern = re.compile(
            rf"(?<![\w])(?:[(]?[一二三四五六七八九十\d]{{1,2}}[)、.]\s*)?(?P<label>{words}){_SEPARATOR}", re.IGNORECASE
        )

    def values(self, text: str, candidates: Sequence[Candidate]) -> list[LabelledValue]:
        """Every value that stands behind its label, in the order of the text. A blank gives none.

        Args:
            text: Of the document.
            candidates: What has the form of a value in it.
        """
        folded = fold(text)
        starts = [candidate.start for candidate in candidates]
        found = []
        for match in self._pattern.finditer(folded):
            field = self._fields[match["label"].lower()]
            if field.kind in FREE:
                value = _free(field, text, folded, match.end(), match[0])
            else:
                near = candidates[bisect_left(starts, match.end()) :]
                value = _formed(field, folded, match.end(), near)
            if value:
                found.append(value)
        return found


def _free(field: FieldSpec, text: str, folded: str, start: int, label: str) -> LabelledValue | None:
    """What stands up to the end of the cell, the clause, or a party's name."""
    stop = (_PARTY_END if field.kind is ValueKind.PARTY else _CLAUSE_END).search(folded, start, start + _LONGEST)
    end = stop.start() if stop else min(len(text), start + _LONGEST)
    if _BLANK.fullmatch(folded, start, end):
        return None
    start += len(text[start:end]) - len(text[start:end].lstrip(" _\u3000"))
    end -= len(text[start:end]) - len(text[start:end].rstrip(" _\u3000,"))
    norm = normalise(field.kind, text[start:end], label)
    return None if norm is None or end <= start else LabelledValue(field.id, start, end, norm)


def _formed(field: FieldSpec, folded: str, start: int, near: Sequence[Candidate]) -> LabelledValue | None:
    """The first value of the field's form, if it stands close behind the label and in the same cell."""
    kinds = forms_of(field.kind)
    for candidate in near:
        between = folded[start : candidate.start]
        if len(between) > _REACH or CELL in between or BREAK in between:
            return None
        if candidate.kind in kinds and candidate.norm is not None:
            return LabelledValue(field.id, candidate.start, candidate.end, candidate.norm)
    return None
