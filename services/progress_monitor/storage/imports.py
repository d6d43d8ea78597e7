"""Keeps which items of STAC catalogues were imported, so that none is imported twice."""

import hashlib
from dataclasses import asdict, dataclass

import sqlalchemy as sql
from sqlalchemy.exc import IntegrityError

from bankai.store import Database
from services.progress_monitor.storage.tables import stac_items


@dataclass(frozen=True, slots=True)
class Imported:
    """An item that was imported.

    Attributes:
        state: Of its files when it was; another where one of them changed.
        content: Hash of the site in it.
        observation_id: What became of it.
    """

    state: str
    content: str
    observation_id: str


class ImportStore:
    """Keeps imported items.

    Args:
        database: Where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, project_id: str, collection: str, item_id: str) -> Imported | None:
        """What is kept of an item; None where it was not imported."""
        query = sql.select(stac_items.c.state, stac_items.c.content, stac_items.c.observation_id)
        mine = (stac_items.c.project_id == project_id, stac_items.c.item == _key(collection, item_id))
        async with self._database.read() as connection:
            row = (await connection.execute(query.where(*mine))).first()
        return None if row is None else Imported(row.state, row.content, row.observation_id)

    async def put(self, project_id: str, collection: str, item_id: str, imported: Imported) -> None:
        """Keeps that an item was imported. Nothing is kept for a project that was erased meanwhile."""
        key = _key(collection, item_id)
        mine = (stac_items.c.project_id == project_id, stac_items.c.item == key)
        values = asdict(imported)
        try:
            async with self._database.write() as connection:
                done = await connection.execute(stac_items.update().where(*mine).values(values))
                if not done.rowcount:
                    row = {"project_id": project_id, "item": key} | values
                    await connection.execute(stac_items.insert().values(row))
        except IntegrityError:  # another import of the same item was faster, or the project is gone
            return


def _key(collection: str, item_id: str) -> str:
    """Ids are unique within a collection only, and may be of any length."""
    return hashlib.sha256(f"{collection}\0{item_id}".encode()).hexdigest()
