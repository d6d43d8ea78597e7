"""Extracts very many documents: `bankai batch extract`.

A document's request id is the hash of its bytes, so that a file is extracted once, however often the work is begun, and
whichever process begins it; results lie where the service keeps its own.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import PurePosixPath

import structlog

from bankai.blobs import Blobs
from bankai.bulk.work import BEFORE, DONE, FAILED, Do, Outcome
from bankai.errors import BankaiError, NotFoundError
from bankai.inference import open_backend
from bankai.status import internal_error
from bankai.store import Database
from services.doc_extract.app import Stores, open_extractor
from services.doc_extract.extractions import Extractions
from services.doc_extract.settings import DocExtractSettings
from services.doc_extract.slots import Slots
from services.doc_extract.storage import tables
from services.doc_extract.submission import Result, Submission

log = structlog.get_logger(__name__)

_NAME = 255


@dataclass(frozen=True)
class ExtractWork:
    """Extracts the documents of a folder or a bucket; implements `bankai.bulk.work.Work`.

    Attributes:
        settings: The service's settings; its store must be one that every process reaches.
        source: Where the documents are: a folder, or s3://bucket/prefix. Items are keys below it.
        channel: Channel whose results they become.
        schema_id: Schema whose fields to look for.
    """

    settings: DocExtractSettings
    source: str
    channel: str
    schema_id: str

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Do]:
        """See `bankai.bulk.work.Work`."""
        database = Database(self.settings.storage.database)
        backend = open_backend(self.settings.inference)
        try:
            await database.prepare(tables.COMPONENT, tables.metadata, tables.VERSION)
            stores = Stores(self.settings, database)
            async with open_extractor(self.settings, backend) as extractor:
                extractions, source = stores.extractions(extractor), Blobs(self.source)

                async def do(key: str) -> Outcome:
                    try:
                        return await self._extract(key, source, stores, extractions)
                    except BankaiError as error:
                        return self._failure(key, error)
                    except Exception:  # one document that nobody foresaw must not keep the others from their turn
                        log.exception("a document was not extracted")
                        return self._failure(key, internal_error())

                yield do
        finally:
            await backend.close()
            await database.close()

    async def _extract(self, key: str, source: Blobs, stores: Stores, extractions: Extractions) -> Outcome:
        began = time.perf_counter()
        data = await source.get(key)
        if data is None:
            raise NotFoundError("FILE_GONE", "the file has gone since the files were listed")
        digest = sha256(data).hexdigest()
        with suppress(NotFoundError):
            known = await stores.results.of_request(self.channel, digest)
            if known.submission.schema_id == self.schema_id:  # of another one, it is refused below
                return self._outcome(key, BEFORE, known, began)
        asked = Submission(
            channel=self.channel,
            request_id=digest,
            file_name=PurePosixPath(key).name[-_NAME:],
            schema_id=self.schema_id,
            schema_version=(await stores.schemas.latest(self.schema_id)).version,
            timeout_s=self.settings.limits.extract_s,
            sha256=digest,
        )
        return self._outcome(key, DONE, await extractions.extract(asked, data, Slots(1, 0)), began)

    @staticmethod
    def _failure(key: str, error: BankaiError) -> Outcome:
        return {"item": key, "outcome": FAILED, "reason": error.reason, "message": error.message}

    @staticmethod
    def _outcome(key: str, outcome: str, result: Result, began: float) -> Outcome:
        return {
            "item": key,
            "outcome": outcome,
            "result_id": result.id,
            "document_kind": str(result.extraction.kind),
            "pages": len(result.extraction.pages),
            "to_review": sum(value.needs_review for value in result.values()),
            "findings": len(result.extraction.findings),
            "seconds": round(time.perf_counter() - began, 3),
        }
