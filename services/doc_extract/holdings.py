"""What the service keeps, for backups."""

from collections.abc import Sequence

import sqlalchemy as sql
from sqlalchemy.ext.asyncio import AsyncConnection

from bankai.backup.holdings import Holdings, Reference
from bankai.settings import load
from services.doc_extract.settings import DocExtractSettings
from services.doc_extract.storage.tables import documents


def holdings() -> Holdings:
    """What it keeps by the settings in the environment.

    Raises:
        SystemExit: As `bankai.settings.load`.
    """
    storage = load(DocExtractSettings).storage
    return Holdings(storage.database, storage.blobs, references)


async def references(connection: AsyncConnection) -> Sequence[Reference]:
    """The documents of results, and those of batches that are still to be read."""
    query = sql.select(documents.c.blob, documents.c.sha256).where(documents.c.blob != "")
    return [Reference(row.blob, row.sha256) for row in await connection.execute(query)]
