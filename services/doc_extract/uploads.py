"""Documents as they arrive in chunks: in order, within limits, and without a trace once their call ends."""

import hashlib
import io
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bankai.errors import ExhaustedError, InvalidRequestError
from bankai.requests import check_request_id, without_idling
from services.doc_extract.schema import Schema
from services.doc_extract.schemas import SchemaBook
from services.doc_extract.settings import LimitSettings
from services.doc_extract.submission import Submission
from services.doc_extract.validation import check_file_name

_RETRY_AFTER_S = 2.0
_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class DocumentConfig:
    """What is said before a document's bytes.

    Attributes:
        request_id: The caller's id.
        schema_id: Schema to use; empty for the built-in one.
        file_name: For people.
        timeout_s: Longest that extracting it may take; infinite where the caller does not care.
    """

    request_id: str
    schema_id: str
    file_name: str
    timeout_s: float


@dataclass(frozen=True, slots=True)
class BatchConfig:
    """What is said before a batch's documents.

    Attributes:
        request_id: The caller's id of the batch.
    """

    request_id: str


@dataclass(frozen=True, slots=True)
class Document:
    """A document that has arrived.

    Attributes:
        config: What was said before it.
        schema: Schema to use, the latest version of the one asked for.
        data: Its bytes.
        sha256: Their SHA-256, hexadecimal.
    """

    config: DocumentConfig
    schema: Schema
    data: bytes
    sha256: str

    def submission(self, channel: str, longest_s: float) -> Submission:
        """What is asked for.

        Args:
            channel: Channel of the bank through which it came.
            longest_s: Longest that extracting it may take, whatever the caller says, in seconds.
        """
        return Submission(
            channel=channel,
            request_id=self.config.request_id,
            file_name=self.config.file_name,
            schema_id=self.schema.id,
            schema_version=self.schema.version,
            timeout_s=min(self.config.timeout_s, longest_s),
            sha256=self.sha256,
        )


Message = BatchConfig | DocumentConfig | bytes


class Uploads:
    """Takes in documents, all calls together within a limit of memory.

    Args:
        limits: The limits.
        schemas: What callers may ask for.
    """

    def __init__(self, limits: LimitSettings, schemas: SchemaBook) -> None:
        self._limits = limits
        self._schemas = schemas
        self.held = 0
        """Bytes held now."""

    @contextmanager
    def upload(self) -> Iterator["Upload"]:
        """A document to fill; what it holds is given back at the end."""
        upload = Upload(self, self._limits)
        try:
            yield upload
        finally:
            self.held -= upload.size

    def messages(self, requests: AsyncIterator[Message]) -> AsyncIterator[Message]:
        """The messages of a call.

        Raises:
            DeadlineError: UPLOAD_IDLE.
        """
        return without_idling(requests, self._limits.upload_idle_s)

    async def begin(self, config: DocumentConfig, field: str) -> Schema:
        """Refuses a document whose config cannot be used, before its bytes come.

        Args:
            config: The config.
            field: Path of the config in its message.

        Returns:
            The schema that it asks for.

        Raises:
            InvalidRequestError: REQUEST_ID_INVALID or FILE_NAME_INVALID.
            NotFoundError: SCHEMA_NOT_FOUND.
        """
        check_request_id(config.request_id, f"{field}.request_id")
        check_file_name(config.file_name, f"{field}.file_name")
        return await self._schemas.latest(config.schema_id)

    async def receive(self, messages: AsyncIterator[Message], upload: "Upload") -> Document:
        """Takes in the one document of a call.

        Args:
            messages: The call's messages.
            upload: Where its bytes go.

        Raises:
            InvalidRequestError: CONFIG_REQUIRED or CONFIG_REPEATED.
            BankaiError: What `begin` and `Upload.add` raise.
        """
        config = await anext(messages, None)
        if not isinstance(config, DocumentConfig):
            raise InvalidRequestError("CONFIG_REQUIRED", "the first message must be the config")
        schema = await self.begin(config, "config")
        async for message in messages:
            if not isinstance(message, bytes):
                raise InvalidRequestError("CONFIG_REPEATED", "every message after the config must be a chunk")
            upload.add(message)
        return upload.document(config, schema)


class Upload:
    """One document that is being taken in. Made by `Uploads.upload`."""

    def __init__(self, uploads: Uploads, limits: LimitSettings) -> None:
        self._uploads = uploads
        self._limits = limits
        self._content = io.BytesIO()
        self._hash = hashlib.sha256()
        self.size = 0
        """Bytes so far."""

    def add(self, chunk: bytes) -> None:
        """Adds the next bytes.

        Raises:
            InvalidRequestError: FILE_TOO_LARGE.
            ExhaustedError: UPLOADS_FULL.
        """
        size = len(chunk)
        if self.size + size > self._limits.document_bytes:
            most = self._limits.document_bytes / _MB
            raise InvalidRequestError("FILE_TOO_LARGE", f"the file is larger than the {most:.0f} MB allowed: split it")
        if self._uploads.held + size > self._limits.upload_bytes:
            raise ExhaustedError(
                "UPLOADS_FULL", "too many documents are being sent now; try again", retry_after=_RETRY_AFTER_S
            )
        self._uploads.held += size
        self.size += size
        self._content.write(chunk)
        self._hash.update(chunk)

    def document(self, config: DocumentConfig, schema: Schema) -> Document:
        """All of it."""
        return Document(config, schema, self._content.getvalue(), self._hash.hexdigest())
