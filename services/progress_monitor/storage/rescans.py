"""Keeps rescans of the portfolio: which projects are done, so that none is done twice."""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sql
from sqlalchemy.exc import IntegrityError

from bankai.errors import NotFoundError
from bankai.store import Database
from services.progress_monitor.storage.tables import projects, rescan_items, rescans


@dataclass(frozen=True, slots=True)
class Rescan:
    """A rescan as it is now.

    Attributes:
        id: The service's id.
        created: When it was started, seconds since 1970.
        projects: Projects to scan.
        done: Projects that are done.
        observations: Pictures that were measured anew.
        failures: Why projects could not be scanned, by id.
    """

    id: str
    created: float
    projects: int
    done: int
    observations: int
    failures: dict[str, str]

    @property
    def left(self) -> int:
        """Projects that are not done."""
        return self.projects - self.done


@dataclass(frozen=True, slots=True)
class Item:
    """A project to scan, claimed by this process.

    Attributes:
        rescan_id: Of the rescan.
        project_id: Of the project.
    """

    rescan_id: str
    project_id: str


class RescanStore:
    """Keeps rescans.

    Args:
        database: Where.
        lease_s: Seconds for which a claim holds without being renewed.
    """

    def __init__(self, database: Database, lease_s: float) -> None:
        self._database = database
        self.lease_s = lease_s

    async def start(self, request_id: str) -> Rescan:
        """Starts a rescan of all projects that are there; the same request id gives the same rescan."""
        rescan_id = secrets.token_hex(16)
        try:
            async with self._database.write() as connection:
                row = {"id": rescan_id, "request_id": request_id, "created": time.time()}
                await connection.execute(rescans.insert().values(row))
                chosen = sql.select(
                    sql.literal(rescan_id),
                    projects.c.id,
                    sql.literal(0.0),
                    sql.false(),
                    sql.literal(0),
                    sql.literal(""),
                )
                names = ["rescan_id", "project_id", "lease_until", "done", "observations", "failure"]
                await connection.execute(rescan_items.insert().from_select(names, chosen))
        except IntegrityError:
            async with self._database.read() as connection:
                known = sql.select(rescans.c.id).where(rescans.c.request_id == request_id)
                rescan_id = str(await connection.scalar(known))
        return await self.get(rescan_id)

    async def get(self, rescan_id: str) -> Rescan:
        """A rescan.

        Raises:
            NotFoundError: OPERATION_NOT_FOUND.
        """
        mine = rescan_items.c.rescan_id == rescan_id
        counts = sql.select(
            sql.func.count(),
            sql.func.count().filter(rescan_items.c.done),
            sql.func.coalesce(sql.func.sum(rescan_items.c.observations), 0),
        ).where(mine)
        failed = sql.select(rescan_items.c.project_id, rescan_items.c.failure).where(mine, rescan_items.c.failure != "")
        async with self._database.read() as connection:
            created = await connection.scalar(sql.select(rescans.c.created).where(rescans.c.id == rescan_id))
            if created is None:
                raise NotFoundError("OPERATION_NOT_FOUND", "there is no rescan of this name")
            count, done, measured = (await connection.execute(counts)).one()
            failures = {row.project_id: row.failure for row in await connection.execute(failed)}
        return Rescan(rescan_id, float(created), count, done, measured, failures)

    async def claim(self) -> Item | None:
        """Claims a project that waits to be scanned, or whose process is gone."""
        now = time.time()
        due = sql.and_(~rescan_items.c.done, rescan_items.c.lease_until < now)
        async with self._database.write() as connection:
            query = sql.select(rescan_items).where(due).limit(1).with_for_update(skip_locked=True)
            row = (await connection.execute(query)).mappings().first()
            if row is None:
                return None
            item = Item(row["rescan_id"], row["project_id"])
            await connection.execute(rescan_items.update().where(*_is(item)).values(lease_until=now + self.lease_s))
            return item

    async def renew(self, item: Item) -> bool:
        """Keeps a claim for another lease; returns whether there is still something to do."""
        async with self._database.write() as connection:
            until = time.time() + self.lease_s
            mine = rescan_items.update().where(*_is(item), ~rescan_items.c.done)
            return (await connection.execute(mine.values(lease_until=until))).rowcount == 1

    async def finish(self, item: Item, observations: int, failure: str = "") -> None:
        """Says what came of a project."""
        changed = {"done": True, "observations": observations, "failure": failure}
        async with self._database.write() as connection:
            await connection.execute(rescan_items.update().where(*_is(item)).values(changed))


def _is(item: Item) -> Sequence[sql.ColumnElement[bool]]:
    return (rescan_items.c.rescan_id == item.rescan_id, rescan_items.c.project_id == item.project_id)
