"""What the service keeps, for backups."""

from collections.abc import Sequence

import sqlalchemy as sql
from sqlalchemy.ext.asyncio import AsyncConnection

from bankai.backup.holdings import Holdings, Reference
from bankai.settings import load
from services.progress_monitor.pixels import keys
from services.progress_monitor.settings import ProgressMonitorSettings
from services.progress_monitor.storage.tables import observations


def holdings() -> Holdings:
    """What it keeps by the settings in the environment.

    Raises:
        SystemExit: As `bankai.settings.load`.
    """
    storage = load(ProgressMonitorSettings).storage
    return Holdings(storage.database, storage.blobs, references)


async def references(connection: AsyncConnection) -> Sequence[Reference]:
    """The pixels of every picture; what was found in them can be missing, and is found anew by a rescan."""
    rows = await connection.execute(sql.select(observations.c.project_id, observations.c.id))
    return [Reference(key, needed=kind == "chip") for row in rows for kind, key in keys(row.project_id, row.id).items()]
