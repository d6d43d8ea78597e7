"""Takes in a batch of documents, in whole or not at all."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable

from bankai.blobs import Blobs
from bankai.errors import BankaiError, InvalidRequestError
from bankai.requests import check_request_id
from services.doc_extract.settings import LimitSettings
from services.doc_extract.storage.documents import new_id
from services.doc_extract.storage.operations import Operation, OperationStore, Upload
from services.doc_extract.uploads import BatchConfig, Document, DocumentConfig, Message, Uploads

_MB = 1_000_000


class BatchIntake:
    """Takes in batches.

    Args:
        uploads: Takes in documents.
        blobs: Keeps their bytes until they are extracted.
        operations: Keeps the batches.
        limits: The limits.
    """

    def __init__(self, uploads: Uploads, blobs: Blobs, operations: OperationStore, limits: LimitSettings) -> None:
        self._uploads = uploads
        self._blobs = blobs
        self._operations = operations
        self._limits = limits

    async def receive(self, channel: str, messages: AsyncIterator[Message]) -> Operation:
        """Takes in a batch.

        Args:
            channel: Channel of the bank through which it comes.
            messages: The call's messages.

        Raises:
            InvalidRequestError: CONFIG_REQUIRED, CONFIG_REPEATED, DOCUMENT_REQUIRED, REQUEST_ID_REPEATED,
                TOO_MANY_DOCUMENTS or BATCH_TOO_LARGE.
            BankaiError: What the uploads and the stores raise.
        """
        config = await anext(messages, None)
        if not isinstance(config, BatchConfig):
            raise InvalidRequestError("CONFIG_REQUIRED", "the first message must be the config of the batch")
        check_request_id(config.request_id, "config.request_id")
        kept: list[Upload] = []
        try:
            await self._keep(channel, messages, kept)
        except BaseException:
            await asyncio.shield(self._erase(upload.blob for upload in kept))
            raise
        # A call that ends in here may have stored the batch: what it has not is erased with all that nobody needs.
        try:
            stored = await self._operations.create(channel, config.request_id, _digest(kept), kept)
        except BankaiError:
            await self._erase(upload.blob for upload in kept)
            raise
        await self._erase(stored.useless)
        return stored.operation

    async def _keep(self, channel: str, messages: AsyncIterator[Message], kept: list[Upload]) -> None:
        """Keeps the bytes of every document as it arrives."""
        size = 0
        async for document in self._documents(messages):
            asked = document.submission(channel, self._limits.extract_s)
            if any(asked.request_id == upload.submission.request_id for upload in kept):
                raise InvalidRequestError("REQUEST_ID_REPEATED", "two documents of the batch have the same request id")
            if len(kept) == self._limits.batch_documents:
                most = self._limits.batch_documents
                raise InvalidRequestError("TOO_MANY_DOCUMENTS", f"a batch may have at most {most:,} documents")
            size += len(document.data)
            if size > self._limits.batch_bytes:
                most = self._limits.batch_bytes // _MB
                raise InvalidRequestError("BATCH_TOO_LARGE", f"a batch may have at most {most:,} MB; send several")
            kept.append(Upload(asked, new_id()))
            await self._blobs.put(kept[-1].blob, document.data)
        if not kept:
            raise InvalidRequestError("DOCUMENT_REQUIRED", "the batch holds no document")

    async def _documents(self, messages: AsyncIterator[Message]) -> AsyncIterator[Document]:
        """The documents of a batch, one in memory at a time."""
        config = await anext(messages, None)
        while config is not None:
            if isinstance(config, BatchConfig):
                raise InvalidRequestError("CONFIG_REPEATED", "the config of the batch must be the first message only")
            if not isinstance(config, DocumentConfig):
                raise InvalidRequestError("CONFIG_REQUIRED", "a document's config must come before its chunks")
            schema = await self._uploads.begin(config, "document")
            with self._uploads.upload() as upload:
                following = None
                async for message in messages:
                    if not isinstance(message, bytes):
                        following = message
                        break
                    upload.add(message)
                yield upload.document(config, schema)
            config = following

    async def _erase(self, blobs: Iterable[str]) -> None:
        for blob in blobs:
            await self._blobs.delete(blob)


def _digest(uploads: Iterable[Upload]) -> str:
    """Tells whether two batches hold the same documents in the same order."""
    digest = hashlib.sha256()
    for upload in uploads:
        asked = upload.submission
        digest.update(repr((asked.request_id, asked.schema_id, asked.sha256)).encode())
    return digest.hexdigest()
