"""Keeps projects."""

from collections.abc import Sequence

import sqlalchemy as sql
from pydantic import TypeAdapter
from sqlalchemy.exc import IntegrityError

from bankai.errors import ConflictError, NotFoundError
from bankai.store import Database
from services.progress_monitor.project import Project
from services.progress_monitor.storage.tables import projects, rescan_items, turns

_PROJECT = TypeAdapter(Project)


class ProjectStore:
    """Keeps projects.

    Args:
        database: Where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, project: Project) -> Project:
        """Keeps a new project; one that is there already with the same content is returned as it is.

        Raises:
            ConflictError: PROJECT_EXISTS.
        """
        try:
            async with self._database.write() as connection:
                await connection.execute(projects.insert().values(_row(project)))
        except IntegrityError:
            found = await self.get(project.id)
            if (found.name, found.aoi, found.plan) != (project.name, project.aoi, project.plan):
                raise ConflictError(
                    "PROJECT_EXISTS",
                    "a project of this id is registered with other content: update it, or choose another id",
                ) from None
            return found
        return project

    async def replace(self, project: Project) -> None:
        """Keeps a project that is there with new content.

        Raises:
            NotFoundError: PROJECT_NOT_FOUND.
        """
        async with self._database.write() as connection:
            done = await connection.execute(projects.update().where(projects.c.id == project.id).values(_row(project)))
            if done.rowcount != 1:
                raise _not_found()

    async def get(self, project_id: str) -> Project:
        """A project.

        Raises:
            NotFoundError: PROJECT_NOT_FOUND.
        """
        async with self._database.read() as connection:
            content = await connection.scalar(sql.select(projects.c.content).where(projects.c.id == project_id))
        if content is None:
            raise _not_found()
        return _PROJECT.validate_json(content)

    async def list(self, limit: int, after: str = "") -> Sequence[Project]:
        """Projects by id.

        Args:
            limit: At most so many.
            after: Only ids behind this one.
        """
        query = sql.select(projects.c.content).where(projects.c.id > after).order_by(projects.c.id).limit(limit)
        async with self._database.read() as connection:
            return [_PROJECT.validate_json(content) for content in await connection.scalars(query)]

    async def delete(self, project_id: str) -> None:
        """Erases a project and all rows that belong to it.

        Raises:
            NotFoundError: PROJECT_NOT_FOUND.
        """
        async with self._database.write() as connection:
            for table in (rescan_items, turns):  # which name it without a foreign key
                await connection.execute(table.delete().where(table.c.project_id == project_id))
            done = await connection.execute(projects.delete().where(projects.c.id == project_id))
            if done.rowcount != 1:
                raise _not_found()
        await self._database.scrub()


def _row(project: Project) -> dict[str, object]:
    return {"id": project.id, "created": project.created, "content": _PROJECT.dump_json(project).decode()}


def _not_found() -> NotFoundError:
    return NotFoundError("PROJECT_NOT_FOUND", "there is no project of this id: register it first")
