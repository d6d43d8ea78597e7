"""The bank's own schemas, every version of them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sql
from pydantic import TypeAdapter
from sqlalchemy.exc import IntegrityError

from bankai.store import Database
from services.doc_extract.schema import FieldSpec
from services.doc_extract.storage import codec
from services.doc_extract.storage.documents import first
from services.doc_extract.storage.tables import schemas

_FIELDS = TypeAdapter(tuple[FieldSpec, ...])


@dataclass(frozen=True, slots=True)
class OwnSchema:
    """One version of a schema of the bank's own.

    Attributes:
        id: Its id.
        number: Its version, from 1.
        fields: The bank's own fields.
        created: When it was stored, seconds since 1970.
    """

    id: str
    number: int
    fields: tuple[FieldSpec, ...]
    created: float


class SchemaStore:
    """Keeps schemas.

    Args:
        database: Where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, schema_id: str, number: int | None = None) -> OwnSchema | None:
        """A version of a schema, the latest where no number is given; None where there is none."""
        query = sql.select(schemas).where(schemas.c.id == schema_id).order_by(schemas.c.number.desc()).limit(1)
        if number is not None:
            query = query.where(schemas.c.number == number)
        async with self._database.read() as connection:
            row = await first(connection, query)
        return None if row is None else _schema(row)

    async def list(self, schema_id: str) -> Sequence[OwnSchema]:
        """Every version of one schema, or of all where the id is empty; by id, the newest first."""
        query = sql.select(schemas).order_by(schemas.c.id, schemas.c.number.desc())
        if schema_id:
            query = query.where(schemas.c.id == schema_id)
        async with self._database.read() as connection:
            return [_schema(dict(row)) for row in (await connection.execute(query)).mappings()]

    async def put(self, schema_id: str, fields: tuple[FieldSpec, ...]) -> OwnSchema:
        """Stores fields as the schema's next version, unless its latest one has the same."""
        while True:
            latest = await self.get(schema_id)
            if latest is not None and latest.fields == fields:
                return latest
            stored = OwnSchema(schema_id, latest.number + 1 if latest else 1, fields, time.time())
            text = codec.json_of(_FIELDS, fields)
            row = {"id": schema_id, "number": stored.number, "fields": text, "created": stored.created}
            try:
                async with self._database.write() as connection:
                    await connection.execute(schemas.insert().values(row))
            except IntegrityError:  # another call was faster
                continue
            return stored


def _schema(row: codec.Row) -> OwnSchema:
    return OwnSchema(row["id"], row["number"], _FIELDS.validate_json(row["fields"]), row["created"])
