"""Keeps observations and photos: what was measured, not the pixels."""

from collections.abc import Sequence

import sqlalchemy as sql
from pydantic import TypeAdapter
from sqlalchemy.exc import IntegrityError

from bankai.errors import NotFoundError
from bankai.store import Database
from services.progress_monitor.observation import Observation
from services.progress_monitor.photos.photo import SitePhoto
from services.progress_monitor.storage.tables import observations, photos

_OBSERVATION = TypeAdapter(Observation)
_PHOTO = TypeAdapter(SitePhoto)


class ObservationStore:
    """Keeps observations and photos.

    Args:
        database: Where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, observation: Observation) -> Observation:
        """Keeps an observation, new or changed; the same picture is kept once, and returned as it is.

        Raises:
            NotFoundError: PROJECT_NOT_FOUND, where the project was erased meanwhile.
        """
        row = {
            "id": observation.id,
            "project_id": observation.project_id,
            "acquired": observation.acquired,
            "sha256": observation.sha256,
            "content": _OBSERVATION.dump_json(observation).decode(),
        }
        try:
            async with self._database.write() as connection:
                mine = observations.c.id == observation.id
                done = await connection.execute(observations.update().where(mine).values(row))
                if not done.rowcount:
                    await connection.execute(observations.insert().values(row))
        except IntegrityError:
            same = [
                each
                for each in await self.of_project(observation.project_id)
                if (each.sha256, each.acquired) == (observation.sha256, observation.acquired)
            ]
            if not same:
                raise NotFoundError("PROJECT_NOT_FOUND", "the project was erased meanwhile") from None
            return same[0]
        return observation

    async def of_project(self, project_id: str, until: float | None = None) -> Sequence[Observation]:
        """A project's observations in order of acquisition.

        Args:
            project_id: Id of the project.
            until: Only those acquired up to then, seconds since 1970.
        """
        query = sql.select(observations.c.content).where(observations.c.project_id == project_id)
        if until is not None:
            query = query.where(observations.c.acquired <= until)
        async with self._database.read() as connection:
            found = await connection.scalars(query.order_by(observations.c.acquired, observations.c.id))
            return [_OBSERVATION.validate_json(content) for content in found]

    async def add_photo(self, photo: SitePhoto) -> None:
        """Keeps a photo."""
        async with self._database.write() as connection:
            await connection.execute(
                photos.insert().values(
                    id=photo.id,
                    project_id=photo.project_id,
                    sha256=photo.sha256,
                    fingerprint=photo.fingerprint,
                    content=_PHOTO.dump_json(photo).decode(),
                )
            )

    async def photos(self) -> Sequence[SitePhoto]:
        """Every photo: a replay may come from another project."""
        async with self._database.read() as connection:
            return [_PHOTO.validate_json(content) for content in await connection.scalars(sql.select(photos.c.content))]
