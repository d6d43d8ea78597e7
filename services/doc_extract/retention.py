"""Erases what is older than the bank wants to keep."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import structlog

from bankai.blobs import Blobs
from bankai.errors import BankaiError
from services.doc_extract.settings import StorageSettings
from services.doc_extract.storage.documents import DocumentStore
from services.doc_extract.storage.results import ResultStore

log = structlog.get_logger(__name__)

_DAY_S = 86_400.0
_AT_ONCE = 200
_ORPHAN_AGE = timedelta(days=1)
"""Age from which bytes that no document refers to are erased; an upload refers to its bytes once it is complete."""


class Retention:
    """Erases documents, results and reviews, and bytes that a process which died has left.

    Args:
        results: What is erased.
        documents: Knows which bytes are needed.
        blobs: Where they are.
        settings: When.
    """

    def __init__(self, results: ResultStore, documents: DocumentStore, blobs: Blobs, settings: StorageSettings) -> None:
        self._results = results
        self._documents = documents
        self._blobs = blobs
        self._settings = settings

    async def run(self) -> None:
        """Looks again and again until cancelled."""
        while True:
            try:
                await self.sweep()
            except BankaiError as error:
                log.warning("nothing was erased", reason=error.reason)
            await asyncio.sleep(self._settings.sweep_s)

    async def sweep(self) -> int:
        """Erases what is due; returns how many documents.

        Raises:
            UnavailableError: STORE_UNAVAILABLE or BLOBS_UNAVAILABLE.
        """
        before = time.time() - self._settings.retention_days * _DAY_S
        count = 0
        while erased := await self._results.delete_older(before, _AT_ONCE):
            count += len(erased)
            log.info("erased", documents=len(erased))
            for blob in filter(None, erased):
                await self._blobs.delete(blob)
        orphaned = datetime.now(UTC) - _ORPHAN_AGE
        old = [key async for key, put in self._blobs.entries() if put < orphaned]
        needed = await self._documents.referenced_blobs() if old else frozenset()
        for key in old:
            if key not in needed:
                await self._blobs.delete(key)
        return count
