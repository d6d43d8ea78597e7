"""Results, what people said of them, and their end."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

import sqlalchemy as sql
from sqlalchemy.ext.asyncio import AsyncConnection

from bankai.errors import ConflictError, NotFoundError
from bankai.store import Database
from services.doc_extract.review import Review
from services.doc_extract.storage import codec
from services.doc_extract.storage.documents import first
from services.doc_extract.storage.ownership import readable
from services.doc_extract.storage.tables import documents, operations, reviews
from services.doc_extract.submission import Result, ResultSummary, State

_PAGE = 50


class ResultStore:
    """Keeps results.

    Args:
        database: Where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, result_id: str) -> Result:
        """A result with its reviews.

        Raises:
            NotFoundError: RESULT_NOT_FOUND, here and below.
        """
        async with self._database.read() as connection:
            return await _read(connection, documents.c.id == result_id)

    async def of_request(self, channel: str, request_id: str) -> Result:
        """The result of a caller's request."""
        async with self._database.read() as connection:
            asked = sql.and_(documents.c.channel == channel, documents.c.request_id == request_id)
            return await _read(connection, asked)

    async def list(
        self, limit: int, before: tuple[float, str] | None, *, needs_review: bool, schema_id: str, text: str = ""
    ) -> Sequence[ResultSummary]:
        """Results in short, the newest first.

        Args:
            limit: How many at most.
            before: Time and id of the last one of the page before.
            needs_review: Only those with a value that a person must confirm.
            schema_id: Only those of this schema; empty for all.
            text: Only those that hold it in a value, a correction, the file's name or the request id; empty for all.
        """
        query = sql.select(documents).where(
            documents.c.state == State.DONE, readable(documents.c.channel, documents.c.document_kind)
        )
        if before is not None:
            query = query.where(sql.tuple_(documents.c.created, documents.c.id) < sql.tuple_(*before))
        if needs_review:
            query = query.where(documents.c.to_review > 0)
        if schema_id:
            query = query.where(documents.c.schema_id == schema_id)
        if text:
            query = query.where(holds(text))
        query = query.order_by(documents.c.created.desc(), documents.c.id.desc()).limit(limit)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [ResultSummary(**{name: row[name] for name in ResultSummary.__slots__}) for row in rows]

    async def add_review(self, result_id: str, review: Review, check: Callable[[Result], None]) -> Result:
        """Adds a review to a result that nobody has reviewed since the reviewer saw it.

        Args:
            result_id: The result.
            review: The review; its revision is one more than the one that the reviewer saw.
            check: Raises where the review does not fit the result.

        Returns:
            The result with it.

        Raises:
            ConflictError: REVISION_CONFLICT.
        """
        this = documents.c.id == result_id
        async with self._database.write() as connection:
            before = await _read(connection, this, locked=True)
            if before.revision + 1 != review.revision:
                raise ConflictError(
                    "REVISION_CONFLICT",
                    f"the result has revision {before.revision} by now; get it and review that",
                )
            check(before)
            after = replace(before, reviews=[*before.reviews, review])
            await connection.execute(reviews.insert().values({"document_id": result_id, **codec.review_values(review)}))
            to_review = sum(value.needs_review for value in after.values())
            changed = {"revision": review.revision, "reviewed": review.created, "to_review": to_review}
            await connection.execute(documents.update().where(this).values(changed))
            return after

    async def reviewed(self, since: float, schema_id: str) -> AsyncIterator[Result]:
        """Every result with a review since a time, by the time of its last one."""
        after = (since, "")
        while True:
            place = sql.tuple_(documents.c.reviewed, documents.c.id)
            query = sql.select(documents).where(
                documents.c.reviewed.is_not(None),
                place > sql.tuple_(*after),
                readable(documents.c.channel, documents.c.document_kind),
            )
            if schema_id:
                query = query.where(documents.c.schema_id == schema_id)
            query = query.order_by(documents.c.reviewed, documents.c.id).limit(_PAGE)
            async with self._database.read() as connection:
                rows = [dict(row) for row in (await connection.execute(query)).mappings()]
                results = [await _with_reviews(connection, row) for row in rows]
            for row, result in zip(rows, results, strict=True):
                yield result
                after = (row["reviewed"], row["id"])
            if len(rows) < _PAGE:
                return

    async def delete(self, result_id: str) -> str:
        """Erases a result and its reviews.

        Returns:
            Key of the document's bytes, which are the caller's to erase; empty where none are kept.
        """
        async with self._database.write() as connection:
            query = sql.select(documents).where(
                documents.c.id == result_id, documents.c.state == State.DONE, readable(documents.c.channel)
            )
            row = await first(connection, query.with_for_update())
            if row is None:
                raise _not_found()
            await connection.execute(documents.delete().where(documents.c.id == result_id))
        await self._database.scrub()
        return str(row["blob"])

    async def delete_older(self, created: float, limit: int) -> Sequence[str]:
        """Erases documents that were handed in before a time, and batches, whatever became of them.

        Args:
            created: The time, seconds since 1970.
            limit: Documents erased at most.

        Returns:
            For each document erased the key of its bytes, empty where none are kept.
        """
        async with self._database.write() as connection:
            await connection.execute(operations.delete().where(operations.c.created < created))
            old = sql.select(documents.c.id, documents.c.blob).where(documents.c.created < created).limit(limit)
            rows = (await connection.execute(old.with_for_update(skip_locked=True))).all()
            await connection.execute(documents.delete().where(documents.c.id.in_([row.id for row in rows])))
        if rows:
            await self._database.scrub()
        return [row.blob for row in rows]


def holds(text: str) -> sql.ColumnElement[bool]:
    """That a document, its result or a review of it holds a text."""
    in_json = json.dumps(text, ensure_ascii=False)[1:-1]
    return sql.or_(
        documents.c.extraction.icontains(in_json, autoescape=True),
        documents.c.file_name.icontains(text, autoescape=True),
        documents.c.request_id.icontains(text, autoescape=True),
        sql.exists().where(
            reviews.c.document_id == documents.c.id, reviews.c.corrections.icontains(in_json, autoescape=True)
        ),
    )


async def _read(connection: AsyncConnection, which: sql.ColumnElement[bool], *, locked: bool = False) -> Result:
    query = sql.select(documents).where(which, documents.c.state == State.DONE, readable(documents.c.channel))
    row = await first(connection, query.with_for_update() if locked else query)
    if row is None:
        raise _not_found()
    return await _with_reviews(connection, row)


async def _with_reviews(connection: AsyncConnection, row: codec.Row) -> Result:
    query = sql.select(reviews).where(reviews.c.document_id == row["id"]).order_by(reviews.c.revision)
    found = (await connection.execute(query)).mappings().all()
    return codec.result(row, [dict(each) for each in found])


def _not_found() -> NotFoundError:
    return NotFoundError("RESULT_NOT_FOUND", "there is no such result; it may have been erased, or is not made yet")
