"""Works on the documents of batches in the background, also on those that a process which died has left."""

import asyncio
from functools import partial

import structlog

from bankai.blobs import Blobs
from bankai.errors import BankaiError, ExhaustedError, FaultError, UnavailableError
from bankai.leases import LeaseLostError
from bankai.status import internal_error
from bankai.workers import Workers
from services.doc_extract.extractions import ABANDONED, Extractions
from services.doc_extract.leases import Report, under_lease
from services.doc_extract.settings import BatchSettings
from services.doc_extract.storage.documents import DocumentStore
from services.doc_extract.submission import Claim, Failure

log = structlog.get_logger(__name__)

_FIRST_DELAY_S = 5.0
_LONGEST_DELAY_S = 60.0


class BatchWorkers:
    """Works on one document after the other.

    Args:
        extractions: Extracts.
        documents: Who works on which.
        blobs: Where their bytes are.
        settings: How many at once, and when to give one up.
    """

    def __init__(
        self, extractions: Extractions, documents: DocumentStore, blobs: Blobs, settings: BatchSettings
    ) -> None:
        self._extractions = extractions
        self._documents = documents
        self._blobs = blobs
        self._settings = settings
        self._workers = Workers(self._next, "batches", settings.workers, settings.poll_s)

    def wake(self) -> None:
        """Tells that there is work, which is found by itself only a little later."""
        self._workers.wake()

    async def run(self) -> None:
        """Works until cancelled; documents that are being worked on are given back then."""
        await self._workers.run()

    async def _next(self) -> bool:
        """Works on the next document; returns whether there was one."""
        claim = await self._documents.next(self._settings.attempts)
        if claim is None:
            return False
        if claim.granted:
            await self._extract(claim)
        else:
            log.error("a document was given up", document=claim.id, attempts=claim.attempts)
            await self._blobs.delete(claim.blob)
        return True

    async def _extract(self, claim: Claim) -> None:
        try:
            await under_lease(self._documents, claim, partial(self._perform, claim))
        except LeaseLostError:
            log.info("a document was taken away", document=claim.id)
        except BankaiError as error:
            await self._failed(claim, error)
        except asyncio.CancelledError:
            await asyncio.shield(self._documents.release(claim, ABANDONED))
            raise
        except Exception:
            log.exception("a document was not extracted", document=claim.id)
            await self._failed(claim, internal_error())

    async def _perform(self, claim: Claim, report: Report) -> None:
        data = await self._blobs.get(claim.blob)
        if data is None:
            raise FaultError("DOCUMENT_LOST", "the document's bytes are not where they were kept; send it again")
        await self._extractions.perform(claim, data, report, claim.submission.timeout_s)

    async def _failed(self, claim: Claim, error: BankaiError) -> None:
        """Tries again later where that may help."""
        passing = isinstance(error, UnavailableError | ExhaustedError)
        log.warning("a document was not extracted", document=claim.id, reason=error.reason, attempt=claim.attempts)
        if passing and claim.attempts < self._settings.attempts:
            delay = min(_FIRST_DELAY_S * 2 ** (claim.attempts - 1), _LONGEST_DELAY_S)
            await self._documents.postpone(claim, delay)
            return
        await self._documents.fail(claim, Failure.of(error))
        await self._blobs.delete(claim.blob)
