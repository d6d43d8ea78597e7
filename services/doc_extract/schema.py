"""Which fields are looked for in a document, how they are called there, and what they hold."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml
from pydantic import BaseModel, ConfigDict

from services.doc_extract.candidate import ValueKind
from services.doc_extract.result import DocumentKind

CREDIT = "credit"
"""Id of the built-in schema."""


@dataclass(frozen=True, slots=True)
class FieldNames:
    """What a field is called, for people.

    Attributes:
        zh: In Chinese.
        en: In English.
    """

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field.

    Attributes:
        id: Stable name on the wire, e.g. "amount".
        names: What people call it.
        aliases: Labels that documents print before its value, without colon; Chinese and English, the usual first.
        kind: What it holds; decides the normal form.
        required_in: Kinds of documents in which it must not be blank.
        review_below: Confidence below which a person must confirm a value, in [0, 1].
        builtin: Whether it belongs to the built-in schema, and so to what the models were trained on.
    """

    id: str
    names: FieldNames
    aliases: tuple[str, ...]
    kind: ValueKind
    required_in: frozenset[DocumentKind]
    review_below: float
    builtin: bool


@dataclass(frozen=True, slots=True)
class Schema:
    """A set of fields.

    Attributes:
        id: Stable name on the wire.
        version: Version of the built-in fields, followed by "." and the version of the bank's own where there are such.
        fields: The fields, in the order in which they are shown.
    """

    id: str
    version: str
    fields: tuple[FieldSpec, ...]

    def field(self, field_id: str) -> FieldSpec | None:
        """The field with an id, if there is one."""
        return next((field for field in self.fields if field.id == field_id), None)

    @property
    def aliases(self) -> frozenset[str]:
        """What its fields are called in print."""
        return frozenset(alias for field in self.fields for alias in field.aliases)

    def required_in(self, kind: DocumentKind) -> Iterator[FieldSpec]:
        """The fields that a document of a kind must not leave blank."""
        return (field for field in self.fields if kind in field.required_in)


class _Entry(BaseModel):
    """One field as fields.yaml has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    zh: str
    en: str
    kind: ValueKind
    aliases: tuple[str, ...]
    required_in: frozenset[DocumentKind] = frozenset()
    review_below: float


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int
    fields: tuple[_Entry, ...]


@cache
def credit() -> Schema:
    """The built-in schema, read from the package's fields.yaml."""
    text = (files("services.doc_extract") / "fields.yaml").read_text(encoding="utf-8")
    file = _File.model_validate(yaml.safe_load(text))
    fields = (
        FieldSpec(
            id=entry.id,
            names=FieldNames(entry.zh, entry.en),
            aliases=entry.aliases,
            kind=entry.kind,
            required_in=entry.required_in,
            review_below=entry.review_below,
            builtin=True,
        )
        for entry in file.fields
    )
    return Schema(CREDIT, str(file.version), tuple(fields))
