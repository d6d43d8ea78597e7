"""Finds and erases what is one customer's."""

from dataclasses import dataclass

import sqlalchemy as sql

from bankai.keeping import ErasureOrder
from bankai.store import Database
from services.doc_extract.storage.results import holds
from services.doc_extract.storage.tables import documents, members, operations

_PAGE = 200


@dataclass(frozen=True, slots=True)
class Named:
    """Documents that an order names.

    Attributes:
        ids: The service's ids of them.
        blobs: Keys of their bytes, where they are kept.
    """

    ids: frozenset[str]
    blobs: frozenset[str]


class ErasingStore:
    """Finds and erases documents by what a customer is known by, whatever became of them.

    Args:
        database: Where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, order: ErasureOrder) -> Named:
        """The documents that an order names."""
        async with self._database.read() as connection:
            rows = (await connection.execute(sql.select(documents.c.id, documents.c.blob).where(_named(order)))).all()
        return Named(frozenset(row.id for row in rows), frozenset(row.blob for row in rows if row.blob))

    async def erase(self, order: ErasureOrder) -> Named:
        """Erases them with their reviews, and their places in batches. Their bytes are the caller's to erase."""
        named = await self.find(order)
        async with self._database.write() as connection:
            ids = list(named.ids)
            for start in range(0, len(ids), _PAGE):
                some = ids[start : start + _PAGE]
                await connection.execute(documents.delete().where(documents.c.id.in_(some)))
                await connection.execute(members.delete().where(members.c.document_id.in_(some)))
            for channel, request_ids in order.documents.items():  # of documents whose results were erased before
                sent = sql.select(operations.c.id).where(operations.c.channel == channel)
                mine = (members.c.operation_id.in_(sent), members.c.request_id.in_(request_ids))
                await connection.execute(members.delete().where(*mine))
            empty = ~sql.exists().where(members.c.operation_id == operations.c.id)
            await connection.execute(operations.delete().where(empty))
        await self._database.scrub()
        return named


def _named(order: ErasureOrder) -> sql.ColumnElement[bool]:
    by_id = [
        sql.and_(documents.c.channel == channel, documents.c.request_id.in_(request_ids))
        for channel, request_ids in order.documents.items()
    ]
    by_text = [sql.or_(holds(text), documents.c.failure.icontains(text, autoescape=True)) for text in order.texts]
    return sql.or_(sql.false(), *by_id, *by_text)
