"""Answers by idempotency key: who makes the call, and what came of it. Processes may share the database.

A call is claimed by one process at a time, for as long as its lease runs. Its answer is kept only under the claim that
made it, so there is never a second one.
"""

import asyncio
import base64
import json
import secrets
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import sqlalchemy as sql
import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bankai.background import beside
from bankai.errors import BankaiError, ConflictError
from bankai.store import Database
from gateway.idempotency.settings import IdempotencySettings
from gateway.metadata import Metadatum

log = structlog.get_logger(__name__)

_COMPONENT = "gateway idempotency"
_VERSION = 1
_TABLES = sql.MetaData()
_answers = sql.Table(
    "idempotent_answers",
    _TABLES,
    sql.Column("id", sql.String(64), primary_key=True),
    sql.Column("request_sha256", sql.String(64), nullable=False),
    sql.Column("token", sql.String(32), nullable=False),
    sql.Column("lease_until", sql.Float, nullable=False),
    sql.Column("expires", sql.Float, nullable=False, index=True),
    sql.Column("answer", sql.LargeBinary),  # none while the call is being made
    sql.Column("trailers", sql.Text, nullable=False, default="[]"),
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A call that one process may make.

    Attributes:
        id: Identity of the call: hash of its channel, its method and its key, which may be somebody's data.
        request_sha256: SHA-256 of the request, hexadecimal.
        token: Tells this claim from others of the call.
    """

    id: str
    request_sha256: str
    token: str = field(default_factory=lambda: secrets.token_hex(16))

    @classmethod
    def of(cls, channel: str, method: str, key: str, request: bytes) -> "Claim":
        """A claim of a call, not granted yet."""
        identity = json.dumps((channel, method, key)).encode()
        return cls(sha256(identity).hexdigest(), sha256(request).hexdigest())


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call was answered.

    Attributes:
        message: The message.
        trailers: Its trailing metadata.
    """

    message: bytes
    trailers: Sequence[Metadatum]


class AnswerStore:
    """Keeps answers. Every method raises UnavailableError (STORE_UNAVAILABLE) while the database does not answer.

    Args:
        settings: Where and for how long.
    """

    def __init__(self, settings: IdempotencySettings) -> None:
        self._database = Database(settings.database)
        self._retention_s = settings.retention_s
        self._sweep_s = settings.sweep_s
        self.lease_s = settings.lease_s
        """Seconds for which a claim holds without being renewed."""
        self._prepared = False
        self._preparing = asyncio.Lock()

    async def claim(self, claim: Claim) -> Answer | bool:
        """Asks for a call to be made.

        Returns:
            The answer that was given before; else whether the claim is granted, or another one holds now.

        Raises:
            ConflictError: IDEMPOTENCY_KEY_REUSED.
        """
        await self._prepare()
        async with self._database.read() as connection:  # who waits looks often, and must not hold up who writes
            row = await _find(connection, claim)
        if not _free(row):
            return _kept(row, claim)
        try:
            async with self._database.write() as connection:
                row = await _find(connection, claim, for_update=True)
                if not _free(row):
                    return _kept(row, claim)
                now = time.time()
                if row is not None:
                    await connection.execute(_answers.delete().where(_answers.c.id == claim.id))
                await connection.execute(
                    _answers.insert().values(
                        id=claim.id,
                        request_sha256=claim.request_sha256,
                        token=claim.token,
                        lease_until=now + self.lease_s,
                        expires=now + max(self._retention_s, self.lease_s),
                    )
                )
        except IntegrityError:  # another process was faster
            return False
        return True

    async def renew(self, claim: Claim) -> bool:
        """Keeps a claim for another lease; returns whether it still holds."""
        until = time.time() + self.lease_s
        return await self._settle(claim, {"lease_until": until, "expires": until + self._retention_s})

    async def keep(self, claim: Claim, answer: Answer) -> bool:
        """Keeps the answer; returns whether the claim under which it was made still held, else nothing is kept."""
        trailers = json.dumps([_as_text(item) for item in answer.trailers])
        expires = time.time() + self._retention_s
        return await self._settle(claim, {"answer": answer.message, "trailers": trailers, "expires": expires})

    async def release(self, claim: Claim) -> None:
        """Gives a claim back, so that the call can be made anew."""
        async with self._database.write() as connection:
            await connection.execute(_answers.delete().where(*_held(claim)))

    async def sweep(self) -> int:
        """Erases what is older than the retention; returns how many calls."""
        await self._prepare()
        async with self._database.write() as connection:
            erased = await connection.execute(_answers.delete().where(_answers.c.expires <= time.time()))
        if erased.rowcount:
            await self._database.scrub()
        return erased.rowcount

    async def holding(self, texts: Sequence[str]) -> int:
        """How many answers hold one of some texts, as protobuf writes texts."""
        await self._prepare()
        async with self._database.read() as connection:
            count = sql.select(sql.func.count()).select_from(_answers).where(_hold(connection, texts))
            return int(await connection.scalar(count) or 0)

    async def forget(self, texts: Sequence[str]) -> int:
        """Erases the answers that hold one of some texts, as protobuf writes texts; returns how many there were."""
        await self._prepare()
        async with self._database.write() as connection:
            erased = await connection.execute(_answers.delete().where(_hold(connection, texts)))
        await self._database.scrub()
        return erased.rowcount

    async def keep_swept(self) -> None:
        """Sweeps again and again."""
        while True:
            try:
                await self.sweep()
            except BankaiError as error:
                log.warning("old answers were not erased", reason=error.reason)
            await asyncio.sleep(self._sweep_s)

    async def close(self) -> None:
        """Closes the database."""
        await self._database.close()

    async def _prepare(self) -> None:
        """Makes the tables when they are first needed: the gateway serves calls without a key while there are none."""
        if self._prepared:
            return
        async with self._preparing:
            if not self._prepared:
                await self._database.prepare(_COMPONENT, _TABLES, _VERSION)
                self._prepared = True

    async def _settle(self, claim: Claim, changed: Mapping[str, Any]) -> bool:
        async with self._database.write() as connection:
            done = await connection.execute(_answers.update().where(*_held(claim)).values(changed))
            return done.rowcount == 1


@asynccontextmanager
async def answer_store(settings: IdempotencySettings) -> AsyncIterator[AnswerStore]:
    """A store that is swept while the context is open, and closed at its end.

    Args:
        settings: Where and for how long.
    """
    store = AnswerStore(settings)
    try:
        async with beside(store.keep_swept()):
            yield store
    finally:
        await store.close()


Row = Mapping[Any, Any]


async def _find(connection: AsyncConnection, claim: Claim, *, for_update: bool = False) -> Row | None:
    chosen = sql.select(_answers).where(_answers.c.id == claim.id)
    found = await connection.execute(chosen.with_for_update() if for_update else chosen)
    return found.mappings().one_or_none()


def _hold(connection: AsyncConnection, texts: Sequence[str]) -> sql.ColumnElement[bool]:
    """That an answer holds one of some texts."""
    # PostgreSQL's position() without its schema is a piece of grammar, not a function.
    place = sql.func.instr if connection.dialect.name == "sqlite" else sql.func.pg_catalog.position
    places = (place(_answers.c.answer, sql.literal(text.encode(), sql.LargeBinary)) for text in texts)
    return sql.or_(sql.false(), *(each > 0 for each in places))


def _free(row: Row | None) -> bool:
    now = time.time()
    return row is None or row["expires"] <= now or (row["answer"] is None and row["lease_until"] <= now)


def _kept(row: Row | None, claim: Claim) -> Answer | bool:
    if row is None:
        return False
    if row["request_sha256"] != claim.request_sha256:
        raise ConflictError(
            "IDEMPOTENCY_KEY_REUSED", "the idempotency key was used with another request; take a new key for each"
        )
    if row["answer"] is None:
        return False
    return Answer(row["answer"], [_from_text(item) for item in json.loads(row["trailers"])])


def _held(claim: Claim) -> tuple[sql.ColumnElement[bool], ...]:
    return _answers.c.id == claim.id, _answers.c.token == claim.token, _answers.c.answer.is_(None)


def _as_text(item: Metadatum) -> tuple[str, str]:
    key, value = item
    return key, base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _from_text(item: Sequence[str]) -> Metadatum:
    key, value = item
    return key, base64.b64decode(value) if key.endswith("-bin") else value
