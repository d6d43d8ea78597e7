"""Documents on their way to a result: who works on which, and what came of it.

A document is claimed by one process at a time, for as long as its lease runs; a lease that its process does not renew
runs out, and another may take over. A result is stored only under the claim that made it, so there is never a second.
"""

import secrets
import time
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sql
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bankai.errors import ConflictError
from bankai.store import Database
from services.doc_extract.progress import Progress
from services.doc_extract.result import Extraction
from services.doc_extract.storage import codec
from services.doc_extract.storage.tables import documents, members
from services.doc_extract.submission import Claim, Failure, State, Submission


def new_id() -> str:
    """A new id, of a document, a claim, a batch or bytes: 128 random bits, hexadecimal."""
    return secrets.token_hex(16)


class DocumentStore:
    """Keeps documents.

    Args:
        database: Where.
        lease_s: Seconds for which a claim holds without being renewed.
    """

    def __init__(self, database: Database, lease_s: float) -> None:
        self._database = database
        self.lease_s = lease_s

    async def claim(self, asked: Submission) -> Claim:
        """Claims a document for this process, unless it is done or somebody else's now.

        Raises:
            ConflictError: REQUEST_ID_REUSED.
        """
        while True:
            try:
                async with self._database.write() as connection:
                    found = await find(connection, asked.channel, asked.request_id)
                    if found is not None:
                        return await self._claim_again(connection, found, asked)
                    row = new_row(asked) | self._granted() | {"attempts": 1}
                    await connection.execute(documents.insert().values(row))
                    return codec.claim(row, granted=True)
            except IntegrityError:  # another process was faster: what it made is there now
                continue

    async def next(self, max_attempts: int) -> Claim | None:
        """Claims a document of a batch that waits, or whose process is gone.

        Args:
            max_attempts: Attempts after which a document is given up: what ends the process every time must end, too.
        """
        now = time.time()
        abandoned = sql.and_(documents.c.state == State.RUNNING, documents.c.lease_until < now)
        due = sql.and_(documents.c.state == State.WAITING, documents.c.not_before <= now)
        async with self._database.write() as connection:
            chosen = (
                sql.select(documents)
                .where(documents.c.blob != "", sql.or_(due, abandoned))
                .order_by(documents.c.not_before, documents.c.created)
                .limit(1)
                .with_for_update(skip_locked=True)
            )
            row = await first(connection, chosen)
            if row is None:
                return None
            if row["attempts"] >= max_attempts:
                given_up = Failure(
                    "FaultError", "DOCUMENT_GIVEN_UP", f"the document could not be read in {max_attempts} attempts"
                )
                await _update(connection, row["id"], failed(given_up))
                return codec.claim(row | {"state": State.FAILED}, granted=False)
            changed = self._granted() | {"attempts": row["attempts"] + 1}
            await _update(connection, row["id"], changed)
            return codec.claim(row | changed, granted=True)

    async def renew(self, claim: Claim, progress: Progress | None) -> bool:
        """Keeps a claim for another lease and says how far the work is.

        Returns:
            Whether the claim still holds: the document may have been erased or cancelled, or the lease ran out.
        """
        changed: dict[str, Any] = {"lease_until": time.time() + self.lease_s}
        if progress is not None:
            changed |= {"pages_done": progress.done, "pages": progress.pages}
        return await self._settle(claim, changed)

    async def finish(self, claim: Claim, extraction: Extraction, blob: str) -> bool:
        """Stores the result.

        Args:
            claim: The claim under which it was made.
            extraction: What was found.
            blob: Key of the document's bytes, where they are to be kept; else empty.

        Returns:
            Whether the claim still held; nothing is stored otherwise.
        """
        pages = len(extraction.pages)
        changed = {
            "state": State.DONE,
            "extraction": codec.json_of(codec.EXTRACTION, extraction),
            "document_kind": extraction.kind,
            "to_review": sum(value.needs_review for value in extraction.values),
            "findings": len(extraction.findings),
            "pages_done": pages,
            "pages": pages,
            "failure": None,
            "blob": blob,
        }
        return await self._settle(claim, changed)

    async def fail(self, claim: Claim, failure: Failure) -> None:
        """Stores why there is no result. The document's bytes are its caller's to erase."""
        await self._settle(claim, failed(failure))

    async def postpone(self, claim: Claim, seconds: float) -> None:
        """Gives a claim back, to be taken up again after a while, without losing the attempt."""
        await self._settle(claim, {"state": State.WAITING, "not_before": time.time() + seconds})

    async def release(self, claim: Claim, failure: Failure) -> None:
        """Gives a claim back as if it had never been granted.

        A document of a batch waits again; one whose bytes were only its caller's is forgotten, or has failed where a
        batch waits for it, too.

        Args:
            claim: The claim.
            failure: Why, for such a batch.
        """
        mine = _held(claim)
        async with self._database.write() as connection:
            waiting = {"state": State.WAITING, "attempts": documents.c.attempts - 1}
            done = await connection.execute(documents.update().where(*mine, documents.c.blob != "").values(waiting))
            if done.rowcount:
                return
            in_batch = sql.exists().where(members.c.document_id == documents.c.id)
            await connection.execute(documents.delete().where(*mine, ~in_batch))
            await connection.execute(documents.update().where(*mine).values(failed(failure)))

    async def referenced_blobs(self) -> frozenset[str]:
        """Keys of the bytes that belong to a document."""
        async with self._database.read() as connection:
            found = await connection.scalars(sql.select(documents.c.blob).where(documents.c.blob != ""))
            return frozenset(found)

    async def _claim_again(self, connection: AsyncConnection, row: codec.Row, asked: Submission) -> Claim:
        same_document(row, asked)
        held = row["state"] == State.RUNNING and row["lease_until"] >= time.time()
        if held or row["state"] == State.DONE:
            return codec.claim(row, granted=False)
        changed = self._granted() | {"attempts": row["attempts"] + 1, "timeout_s": asked.timeout_s}
        if row["state"] == State.FAILED:
            changed |= {"schema_version": asked.schema_version, "failure": None}
        await _update(connection, row["id"], changed)
        return codec.claim(row | changed, granted=True)

    async def _settle(self, claim: Claim, changed: codec.Row) -> bool:
        """Changes a document whose claim still holds; returns whether it does."""
        async with self._database.write() as connection:
            done = await connection.execute(documents.update().where(*_held(claim)).values(changed))
            return done.rowcount == 1

    def _granted(self) -> codec.Row:
        return {"state": State.RUNNING, "token": new_id(), "lease_until": time.time() + self.lease_s}


async def first(connection: AsyncConnection, query: sql.Select[Any]) -> codec.Row | None:
    """The first row of a query, if there is one."""
    row = (await connection.execute(query)).mappings().first()
    return None if row is None else dict(row)


async def find(connection: AsyncConnection, channel: str, request_id: str) -> codec.Row | None:
    """The row of a caller's document, locked where it is there."""
    asked = (documents.c.channel == channel, documents.c.request_id == request_id)
    return await first(connection, sql.select(documents).where(*asked).with_for_update())


def new_row(asked: Submission) -> codec.Row:
    """The row of a document that nobody has begun."""
    begin = {"id": new_id(), "created": time.time(), "attempts": 0, "blob": "", "state": State.WAITING, "token": ""}
    return begin | codec.submission_values(asked)


def same_document(row: codec.Row, asked: Submission) -> None:
    """Makes sure that a request id stands for the document that it stood for before.

    Raises:
        ConflictError: REQUEST_ID_REUSED.
    """
    if (row["sha256"], row["schema_id"]) != (asked.sha256, asked.schema_id):
        raise ConflictError(
            "REQUEST_ID_REUSED",
            "the request id was used for another file or schema; send every document under an id of its own",
        )


def failed(failure: Failure) -> codec.Row:
    """The columns of a document that has failed."""
    return {"state": State.FAILED, "failure": codec.json_of(codec.FAILURE, failure), "blob": ""}


async def _update(connection: AsyncConnection, document_id: str, changed: codec.Row) -> None:
    await connection.execute(documents.update().where(documents.c.id == document_id).values(changed))


def _held(claim: Claim) -> Sequence[sql.ColumnElement[bool]]:
    """That a claim still holds."""
    return (documents.c.id == claim.id, documents.c.token == claim.token, documents.c.state == State.RUNNING)
