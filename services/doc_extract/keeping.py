"""What operations erase of what the doc_extract service keeps; see `bankai.keeping`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bankai.blobs import Blobs
from bankai.keeping import Counts, Erased, ErasureOrder
from bankai.settings import load
from bankai.store import Database
from services.doc_extract.retention import Retention
from services.doc_extract.settings import DocExtractSettings
from services.doc_extract.storage import tables
from services.doc_extract.storage.documents import DocumentStore
from services.doc_extract.storage.erasing import ErasingStore, Named
from services.doc_extract.storage.results import ResultStore


class DocumentKeeper:
    """Documents, results and reviews.

    Args:
        database: Where their records are.
        blobs: Where the documents are.
        settings: For how long.
    """

    def __init__(self, database: Database, blobs: Blobs, settings: DocExtractSettings) -> None:
        self._blobs = blobs
        self._store = ErasingStore(database)
        documents = DocumentStore(database, settings.batch.lease_s)
        self._retention = Retention(ResultStore(database), documents, blobs, settings.storage)

    async def sweep(self) -> Counts:
        """See `Keeper`."""
        return {"documents": await self._retention.sweep()}

    async def find(self, order: ErasureOrder) -> Erased:
        """See `Keeper`."""
        return _erased(await self._store.find(order))

    async def erase(self, order: ErasureOrder, ids: frozenset[str]) -> Erased:  # noqa: ARG002  # keeps nothing of others
        """See `Keeper`. Records go first: an interruption leaves files that nobody needs, which are swept."""
        named = await self._store.erase(order)
        for blob in named.blobs:
            await self._blobs.delete(blob)
        return _erased(named)


@asynccontextmanager
async def keeper() -> AsyncIterator[DocumentKeeper]:
    """The keeper by the settings in the environment.

    Raises:
        BankaiError: The database cannot be used.
    """
    settings = load(DocExtractSettings)
    database = Database(settings.storage.database)
    try:
        await database.prepare(tables.COMPONENT, tables.metadata, tables.VERSION)
        yield DocumentKeeper(database, Blobs(settings.storage.blobs), settings)
    finally:
        await database.close()


def _erased(named: Named) -> Erased:
    return Erased({"documents": len(named.ids), "files": len(named.blobs)}, named.ids)
