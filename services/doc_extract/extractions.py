"""From a document to its stored result, once."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from bankai.blobs import Blobs
from bankai.errors import BankaiError, ConflictError, DeadlineError
from bankai.leases import LeaseLostError
from bankai.work_metrics import WorkMetrics
from services.doc_extract.leases import Report, under_lease
from services.doc_extract.progress import Progress
from services.doc_extract.result import Extraction
from services.doc_extract.schema import Schema
from services.doc_extract.schemas import SchemaBook
from services.doc_extract.slots import Slots
from services.doc_extract.storage.documents import DocumentStore, new_id
from services.doc_extract.storage.results import ResultStore
from services.doc_extract.submission import Claim, Failure, Result, State, Submission

_DOCUMENTS = WorkMetrics("document")
_POLL_S = 0.1
"""How often a call looks for the result that another one is making."""

ABANDONED = Failure.of(ConflictError("DOCUMENT_ABANDONED", "the call that sent the document was given up"))
"""What is told of a document whose caller went away before anything came of it."""


class DocumentExtractor(Protocol):
    """Reads and understands documents."""

    async def extract(
        self,
        data: bytes,
        schema: Schema,
        *,
        timeout: float,  # noqa: ASYNC109  # sent along
        progress: Callable[[Progress], None],
    ) -> Extraction:
        """Extracts the fields of a schema from a document.

        Args:
            data: The file.
            schema: The schema.
            timeout: Seconds until the answer is of no use any more.
            progress: Called from the event loop as pages are read.

        Raises:
            BankaiError: The file cannot be read, or the models do not answer.
        """
        ...


class Extractions:
    """Extracts documents and keeps their results.

    Args:
        extractor: Reads and understands.
        documents: Who works on which.
        results: What came of it.
        schemas: What to look for.
        blobs: Where documents are kept.
        keep: Whether they are, once they are extracted.
    """

    def __init__(  # noqa: PLR0913  # the parts of the service
        self,
        extractor: DocumentExtractor,
        documents: DocumentStore,
        results: ResultStore,
        schemas: SchemaBook,
        blobs: Blobs,
        *,
        keep: bool,
    ) -> None:
        self._extractor = extractor
        self._documents = documents
        self._results = results
        self._schemas = schemas
        self._blobs = blobs
        self._keep = keep

    async def extract(self, asked: Submission, data: bytes, slots: Slots) -> Result:
        """The result of a document: made now, or before under the same request id.

        Args:
            asked: What is asked for.
            data: The document's bytes.
            slots: Where the work waits for its turn.

        Raises:
            ConflictError: REQUEST_ID_REUSED.
            DeadlineError: DEADLINE_EXCEEDED.
            BankaiError: What the extractor, the stores and the slots raise.
        """
        try:
            async with asyncio.timeout(asked.timeout_s) as scope:
                while True:
                    claim = await self._documents.claim(asked)
                    if claim.granted:
                        with suppress(LeaseLostError):  # what became of it is seen next
                            await self._extract_now(claim, data, slots, asked.timeout_s)
                    elif claim.state is State.DONE:
                        return await self._results.get(claim.id)
                    else:
                        await asyncio.sleep(_POLL_S)
        except TimeoutError as error:
            if not scope.expired():
                raise
            raise DeadlineError(
                "DEADLINE_EXCEEDED", f"the document was not read within {asked.timeout_s:.1f} s; allow more time"
            ) from error

    async def perform(self, claim: Claim, data: bytes, report: Report, timeout_s: float) -> None:
        """Extracts a claimed document and stores its result.

        Args:
            claim: A claim that was granted.
            data: The document's bytes.
            report: Hears how far the work is.
            timeout_s: Longest that extracting may take.

        Raises:
            BankaiError: What the extractor and the stores raise.
        """
        with _DOCUMENTS.measured():
            asked = claim.submission
            schema = await self._schemas.version(asked.schema_id, asked.schema_version)
            extraction = await self._extractor.extract(data, schema, timeout=timeout_s, progress=report)
            blob = claim.blob
            if self._keep and not blob:
                blob = new_id()
                await self._blobs.put(blob, data)
            await self._documents.finish(claim, extraction, blob if self._keep else "")
            if blob and not self._keep:
                await self._blobs.delete(blob)

    async def _extract_now(self, claim: Claim, data: bytes, slots: Slots, timeout_s: float) -> None:
        until = asyncio.get_running_loop().time() + timeout_s

        async def work(report: Report) -> None:
            async with slots.taken():
                await self.perform(claim, data, report, until - asyncio.get_running_loop().time())

        try:
            await under_lease(self._documents, claim, work)
        except LeaseLostError:
            raise
        except BankaiError as error:
            await self._documents.release(claim, Failure.of(error))
            raise
        except BaseException:
            await asyncio.shield(self._documents.release(claim, ABANDONED))
            raise
