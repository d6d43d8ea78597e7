"""The schemas that documents may be read by: the built-in one, and the bank's own on top of it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bankai.errors import ConflictError, FieldViolation, InvalidRequestError, NotFoundError
from services.doc_extract.schema import CREDIT, FieldSpec, Schema, credit
from services.doc_extract.storage.schemas import OwnSchema, SchemaStore

MAX_FIELDS = 64
"""Fields of the bank's own in one schema."""
MAX_ALIASES = 100
MAX_NAME = 64
"""Characters of a name and of an alias."""

_ID = re.compile(r"[a-z][a-z0-9_]{0,62}")
_ID_RULE = "must be lower-case letters, digits and underscores, beginning with a letter, at most 63"


@dataclass(frozen=True, slots=True)
class DatedSchema:
    """A schema with the time at which it was stored.

    Attributes:
        schema: The schema.
        created: When, seconds since 1970; None for the built-in one.
    """

    schema: Schema
    created: float | None


class SchemaBook:
    """Finds schemas and takes in new ones.

    Args:
        store: The bank's own.
    """

    def __init__(self, store: SchemaStore) -> None:
        self._store = store

    async def latest(self, schema_id: str) -> Schema:
        """The latest version of a schema; the empty id stands for the built-in one.

        Raises:
            NotFoundError: SCHEMA_NOT_FOUND.
        """
        if schema_id in ("", CREDIT):
            return credit()
        return _extended(_known(await self._store.get(schema_id))).schema

    async def version(self, schema_id: str, version: str) -> Schema:
        """A version of a schema. Of the built-in fields there is one version at a time: that of this release.

        Raises:
            NotFoundError: SCHEMA_NOT_FOUND.
        """
        if schema_id == CREDIT:
            return credit()
        number = int(version.rpartition(".")[2])
        return _extended(_known(await self._store.get(schema_id, number))).schema

    async def list(self, schema_id: str, *, all_versions: bool) -> Sequence[DatedSchema]:
        """The built-in schema and the bank's own by id, the newest version first.

        Args:
            schema_id: Only this one; empty for all.
            all_versions: Old versions, too.

        Raises:
            NotFoundError: SCHEMA_NOT_FOUND.
        """
        found = [DatedSchema(credit(), None)] if schema_id in ("", CREDIT) else []
        seen: set[str] = set()
        for own in await self._store.list(schema_id):
            if all_versions or own.id not in seen:
                found.append(_extended(own))
            seen.add(own.id)
        if not found:
            raise _not_found()
        return found

    async def put(self, schema_id: str, fields: Sequence[FieldSpec]) -> DatedSchema:
        """Stores a schema of the bank's own.

        Args:
            schema_id: Its id.
            fields: The bank's own fields.

        Raises:
            ConflictError: SCHEMA_BUILT_IN.
            InvalidRequestError: SCHEMA_INVALID, naming everything that is wrong.
        """
        if schema_id == CREDIT:
            raise ConflictError("SCHEMA_BUILT_IN", f"{CREDIT!r} is built in; give your own schema another id")
        violations = list(_violations(schema_id, fields))
        if violations:
            first = violations[0]
            raise InvalidRequestError("SCHEMA_INVALID", f"{first.field} {first.description}", violations=violations)
        return _extended(await self._store.put(schema_id, tuple(fields)))


def _extended(own: OwnSchema) -> DatedSchema:
    """The built-in fields with the bank's own behind them."""
    base = credit()
    return DatedSchema(Schema(own.id, f"{base.version}.{own.number}", (*base.fields, *own.fields)), own.created)


def _known(own: OwnSchema | None) -> OwnSchema:
    if own is None:
        raise _not_found()
    return own


def _not_found() -> NotFoundError:
    return NotFoundError("SCHEMA_NOT_FOUND", "there is no such schema; ListSchemas tells which there are")


def _violations(schema_id: str, fields: Sequence[FieldSpec]) -> Iterator[FieldViolation]:
    if not _ID.fullmatch(schema_id):
        yield FieldViolation("schema_id", _ID_RULE)
    if not 1 <= len(fields) <= MAX_FIELDS:
        yield FieldViolation("fields", f"must have 1 to {MAX_FIELDS} entries")
    taken = {field.id for field in credit().fields}
    for index, field in enumerate(fields):
        where = f"fields[{index}]"
        if not _ID.fullmatch(field.id):
            yield FieldViolation(f"{where}.field_id", _ID_RULE)
        elif field.id in taken:
            yield FieldViolation(f"{where}.field_id", "is taken by another field")
        taken.add(field.id)
        yield from _wrong_words(field, where)
        if not 0 <= field.review_below <= 1:
            yield FieldViolation(f"{where}.review_below", "must be in [0, 1]")


def _wrong_words(field: FieldSpec, where: str) -> Iterator[FieldViolation]:
    names = {"name_zh": field.names.zh, "name_en": field.names.en}
    if not any(names.values()):
        yield FieldViolation(f"{where}.name_zh", "or name_en must be there")
    for name, value in names.items():
        if value and not _is_label(value):
            yield FieldViolation(f"{where}.{name}", f"must have at most {MAX_NAME} printable characters")
    if not 1 <= len(field.aliases) <= MAX_ALIASES:
        yield FieldViolation(f"{where}.aliases", f"must have 1 to {MAX_ALIASES} entries")
    for place, alias in enumerate(field.aliases):
        if not _is_label(alias):
            yield FieldViolation(f"{where}.aliases[{place}]", f"must have 1 to {MAX_NAME} printable characters")


def _is_label(text: str) -> bool:
    return bool(text.strip()) and len(text) <= MAX_NAME and text.isprintable()
