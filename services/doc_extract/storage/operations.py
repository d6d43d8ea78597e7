"""Batches: which documents belong to one, and how far they are."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sql
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bankai.errors import ConflictError, NotFoundError
from bankai.store import Database
from services.doc_extract.storage import codec
from services.doc_extract.storage.documents import failed, find, first, new_id, new_row, same_document
from services.doc_extract.storage.ownership import readable
from services.doc_extract.storage.tables import documents, members, operations
from services.doc_extract.submission import Failure, State, Submission

_CANCELLED = Failure("ConflictError", "OPERATION_CANCELLED", "the batch was cancelled before the document was read")
_ERASED = Failure("NotFoundError", "RESULT_NOT_FOUND", "the result was erased")


@dataclass(frozen=True, slots=True)
class Member:
    """One document of a batch.

    Attributes:
        request_id: The caller's id of the document.
        document_id: The service's id of it, and of its result.
        state: How far it is; FAILED where it was erased.
        pages_done: Pages read so far.
        pages: Pages of it, 0 until it is opened.
        failure: Why there is no result, where it has failed.
    """

    request_id: str
    document_id: str
    state: State
    pages_done: int
    pages: int
    failure: Failure | None


@dataclass(frozen=True, slots=True)
class Operation:
    """A batch.

    Attributes:
        id: The service's id.
        created: When it was stored, seconds since 1970.
        cancelled: Whether it was cancelled before it was done.
        members: Its documents, in the order in which they were sent.
    """

    id: str
    created: float
    cancelled: bool
    members: Sequence[Member]

    @property
    def done(self) -> bool:
        """Whether nothing will change any more."""
        return self.cancelled or all(member.state in (State.DONE, State.FAILED) for member in self.members)


@dataclass(frozen=True, slots=True)
class Upload:
    """A document of a batch whose bytes are kept.

    Attributes:
        submission: What is asked for.
        blob: Key of its bytes.
    """

    submission: Submission
    blob: str


@dataclass(frozen=True, slots=True)
class Stored:
    """A batch that was stored now or before.

    Attributes:
        operation: The batch.
        useless: Keys of bytes that it does not need, as their documents were known already.
    """

    operation: Operation
    useless: Sequence[str]


class OperationStore:
    """Keeps batches.

    Args:
        database: Where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, channel: str, request_id: str, digest: str, uploads: Sequence[Upload]) -> Stored:
        """Stores a batch and its documents, all or none; what was stored before under the same ids is not begun anew.

        Args:
            channel: Channel of the bank through which it came.
            request_id: The caller's id of the batch.
            digest: Tells whether two batches hold the same documents.
            uploads: The documents.

        Raises:
            ConflictError: REQUEST_ID_REUSED, of the batch or of a document.
        """
        while True:
            try:
                async with self._database.write() as connection:
                    same = (operations.c.channel == channel, operations.c.request_id == request_id)
                    found = await first(connection, sql.select(operations).where(*same))
                    used: set[str] = set()
                    if found is None:
                        row = {"id": new_id(), "channel": channel, "request_id": request_id, "digest": digest}
                        found = row | {"created": time.time(), "cancelled": False}
                        await connection.execute(operations.insert().values(found))
                        for position, upload in enumerate(uploads):
                            if await _add(connection, found["id"], position, upload):
                                used.add(upload.blob)
                    elif found["digest"] != digest:
                        raise ConflictError(
                            "REQUEST_ID_REUSED",
                            "the request id was used for a batch of other documents; send every batch under its own",
                        )
                    useless = [upload.blob for upload in uploads if upload.blob not in used]
                    return Stored(await _read(connection, found), useless)
            except IntegrityError:  # another process was faster: what it made is there now
                continue

    async def get(self, operation_id: str) -> Operation:
        """A batch as it is now.

        Raises:
            NotFoundError: OPERATION_NOT_FOUND, here and below.
        """
        async with self._database.read() as connection:
            return await _read(connection, await _found(connection, operation_id))

    async def list(self, limit: int, before: tuple[float, str] | None) -> Sequence[Operation]:
        """Batches, the newest first.

        Args:
            limit: How many at most.
            before: Time and id of the last one of the page before.
        """
        query = (
            sql.select(operations)
            .where(readable(operations.c.channel))
            .order_by(operations.c.created.desc(), operations.c.id.desc())
            .limit(limit)
        )
        if before is not None:
            query = query.where(sql.tuple_(operations.c.created, operations.c.id) < sql.tuple_(*before))
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
            return [await _read(connection, dict(row)) for row in rows]

    async def cancel(self, operation_id: str) -> Sequence[str]:
        """Cancels what is not done of a batch, save documents that another batch waits for, too.

        Returns:
            Keys of bytes that are of no use any more.
        """
        others = members.alias()
        async with self._database.write() as connection:
            operation = await _read(connection, await _found(connection, operation_id))
            if operation.done:
                return ()
            of_another = sql.exists().where(
                others.c.document_id == documents.c.id, others.c.operation_id != operation_id
            )
            mine = sql.select(members.c.document_id).where(members.c.operation_id == operation_id)
            unfinished = documents.c.state.in_((State.WAITING, State.RUNNING))
            ended = (documents.c.id.in_(mine), unfinished, documents.c.blob != "", ~of_another)
            blobs = await connection.scalars(sql.select(documents.c.blob).where(*ended).with_for_update())
            useless = list(blobs)
            await connection.execute(documents.update().where(*ended).values(failed(_CANCELLED)))
            this = operations.c.id == operation_id
            await connection.execute(operations.update().where(this).values(cancelled=True))
            return useless

    async def delete(self, operation_id: str) -> None:
        """Forgets a batch; its documents go on."""
        async with self._database.write() as connection:
            await _found(connection, operation_id)
            await connection.execute(operations.delete().where(operations.c.id == operation_id))


async def _add(connection: AsyncConnection, operation_id: str, position: int, upload: Upload) -> bool:
    """Adds a document to a batch, or the one that is known under its request id; returns whether its bytes are used."""
    asked = upload.submission
    row = await find(connection, asked.channel, asked.request_id)
    used = True
    if row is None:
        row = new_row(asked) | {"blob": upload.blob}
        await connection.execute(documents.insert().values(row))
    else:
        same_document(row, asked)
        changed: codec.Row = {"blob": upload.blob}
        if row["state"] == State.FAILED:
            changed |= {"state": State.WAITING, "attempts": 0, "failure": None, "not_before": 0.0}
        # The caller of one that runs without its bytes being kept may go: the batch must not need him.
        used = row["state"] == State.FAILED or (row["state"] == State.RUNNING and not row["blob"])
        if used:
            await connection.execute(documents.update().where(documents.c.id == row["id"]).values(changed))
    member = {"operation_id": operation_id, "position": position, "request_id": asked.request_id}
    await connection.execute(members.insert().values(member | {"document_id": row["id"]}))
    return used


async def _found(connection: AsyncConnection, operation_id: str) -> codec.Row:
    query = sql.select(operations).where(operations.c.id == operation_id, readable(operations.c.channel))
    row = await first(connection, query)
    if row is None:
        raise NotFoundError("OPERATION_NOT_FOUND", "there is no such operation; it may have been deleted")
    return row


async def _read(connection: AsyncConnection, row: codec.Row) -> Operation:
    joined = (
        sql.select(members, documents.c.state, documents.c.pages_done, documents.c.pages, documents.c.failure)
        .outerjoin(documents, documents.c.id == members.c.document_id)
        .where(members.c.operation_id == row["id"])
        .order_by(members.c.position)
    )
    found = (await connection.execute(joined)).mappings().all()
    return Operation(row["id"], row["created"], row["cancelled"], [_member(dict(each)) for each in found])


def _member(row: codec.Row) -> Member:
    if row["state"] is None:
        return Member(row["request_id"], row["document_id"], State.FAILED, 0, 0, _ERASED)
    failure = codec.FAILURE.validate_json(row["failure"]) if row["failure"] else None
    state = State(row["state"])
    return Member(row["request_id"], row["document_id"], state, row["pages_done"], row["pages"], failure)
