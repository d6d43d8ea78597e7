"""Short names that a document gives its parties (以下简称, 下称, hereinafter), resolved to the full ones."""

import re
from collections.abc import Sequence
from dataclasses import replace

from services.doc_extract.candidate import ValueKind
from services.doc_extract.schema import FieldSpec
from services.doc_extract.understanding.decoding import RoleValue

_GIVEN = re.compile(
    r"\s*[（(][^（()）]{0,20}?称(?:作|为)?[：:]?\s*[“\"‘'「]?(?P<zh>[^”\"’'」（()）]{1,20})[”\"’'」]?[）)]"
    r"|,?\s*\((?:hereinafter|herein)?[^()]{0,30}?[“\"](?:the )?(?P<en>[^”\"]{2,40})[”\"]\)",
    re.IGNORECASE,
)
_REACH = 80


def resolve(text: str, values: Sequence[RoleValue], fields: Sequence[FieldSpec]) -> list[RoleValue]:
    """The values, each party that is named by its short name with its full name as normal form."""
    parties = {field.id for field in fields if field.kind is ValueKind.PARTY}
    full: dict[str, str] = {}
    for value in values:
        given = _GIVEN.match(text, value.end, value.end + _REACH) if value.field in parties else None
        if given:
            full.setdefault(given["zh"] or given["en"], value.norm or "")
    return [
        replace(value, norm=full[name]) if value.field in parties and (name := value.norm or "") in full else value
        for value in values
    ]
