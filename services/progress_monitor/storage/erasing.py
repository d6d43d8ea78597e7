"""Finds projects that are due to go, or that an order names, and everything of theirs."""

import json
from collections.abc import Sequence

import sqlalchemy as sql

from bankai.keeping import ErasureOrder
from bankai.store import Database
from services.progress_monitor.storage.tables import observations, photos, projects, rescans


class ErasingStore:
    """Finds projects.

    Args:
        database: Where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def named(self, order: ErasureOrder) -> Sequence[str]:
        """Ids of the projects that an order names."""
        texts = [sql.or_(projects.c.id.icontains(text, autoescape=True), _holding(text)) for text in order.texts]
        return await self._ids(sql.or_(projects.c.id.in_(order.projects), *texts))

    async def without_news(self, since: float) -> Sequence[str]:
        """Ids of the projects that were registered or changed before a time, and have no picture taken since.

        Args:
            since: Seconds since 1970.
        """
        seen = sql.exists().where(observations.c.project_id == projects.c.id, observations.c.acquired >= since)
        return await self._ids(sql.and_(projects.c.created < since, ~seen))

    async def observation_ids(self, project_ids: Sequence[str] | None = None) -> frozenset[str]:
        """Ids of the observations of projects; of all where none are given."""
        query = sql.select(observations.c.id)
        if project_ids is not None:
            query = query.where(observations.c.project_id.in_(project_ids))
        async with self._database.read() as connection:
            return frozenset(await connection.scalars(query))

    async def forget_rescans(self, before: float) -> None:
        """Erases rescans that were started before a time, with what became of each project.

        Args:
            before: Seconds since 1970.
        """
        async with self._database.write() as connection:
            await connection.execute(rescans.delete().where(rescans.c.created < before))

    async def _ids(self, which: sql.ColumnElement[bool]) -> Sequence[str]:
        async with self._database.read() as connection:
            return list(await connection.scalars(sql.select(projects.c.id).where(which).order_by(projects.c.id)))


def _holding(text: str) -> sql.ColumnElement[bool]:
    in_json = json.dumps(text, ensure_ascii=False)[1:-1]
    shown = (
        sql.exists().where(table.c.project_id == projects.c.id, table.c.content.icontains(in_json, autoescape=True))
        for table in (observations, photos)
    )
    return sql.or_(projects.c.content.icontains(in_json, autoescape=True), *shown)
