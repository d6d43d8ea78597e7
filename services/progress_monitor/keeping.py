"""What operations erase of what the progress_monitor service keeps; see `bankai.keeping`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bankai.blobs import Blobs
from bankai.keeping import Counts, Erased, ErasureOrder
from bankai.settings import load
from bankai.store import Database
from services.progress_monitor.pixels import PixelStore
from services.progress_monitor.retention import Retention
from services.progress_monitor.settings import ProgressMonitorSettings
from services.progress_monitor.storage.erasing import ErasingStore
from services.progress_monitor.storage.migrations.upgrading import upgrade
from services.progress_monitor.storage.projects import ProjectStore


class ProjectKeeper:
    """Projects, observations, photos, alerts and pixels.

    Args:
        database: Where the records are.
        pixels: Where the pixels are.
        settings: For how long.
    """

    def __init__(self, database: Database, pixels: PixelStore, settings: ProgressMonitorSettings) -> None:
        self._store = ErasingStore(database)
        self._retention = Retention(ProjectStore(database), self._store, pixels, settings.storage)

    async def sweep(self) -> Counts:
        """See `Keeper`."""
        return {"projects": await self._retention.sweep()}

    async def find(self, order: ErasureOrder) -> Erased:
        """See `Keeper`."""
        project_ids = await self._store.named(order)
        ids = await self._store.observation_ids(project_ids)
        return Erased({"projects": len(project_ids), "observations": len(ids)}, ids | set(project_ids))

    async def erase(self, order: ErasureOrder, ids: frozenset[str]) -> Erased:  # noqa: ARG002  # keeps nothing of others
        """See `Keeper`."""
        found = await self.find(order)
        # Those too whose records went before their pixels, when an erasure was interrupted.
        for project_id in {*await self._store.named(order), *order.projects}:
            await self._retention.erase(project_id)
        return found


@asynccontextmanager
async def keeper() -> AsyncIterator[ProjectKeeper]:
    """The keeper by the settings in the environment.

    Raises:
        BankaiError: The database cannot be used.
    """
    settings = load(ProgressMonitorSettings)
    database = Database(settings.storage.database)
    try:
        await upgrade(database)
        yield ProjectKeeper(database, PixelStore(Blobs(settings.storage.blobs)), settings)
    finally:
        await database.close()
