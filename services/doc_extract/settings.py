"""Settings of the doc_extract service, read from BANKAI_DOC_EXTRACT_<GROUP>__<NAME>."""

from pathlib import Path

from pydantic import Field

from bankai.settings import Group, InferenceSettings, Seconds, ServerSettings, ServiceSettings, environment
from bankai.state_settings import StateSettings

_MIB = 1024 * 1024


class StorageSettings(StateSettings):
    """Where results and documents are kept, and for how long.

    Attributes:
        keep_documents: Whether documents are kept beside their results, for reviewers and as training data. Those of
            batches are kept until they are extracted in any case.
        retention_days: Days after which a document, its result and its reviews are erased.
        sweep_s: Seconds between two looks for what is to be erased.
    """

    folder: Path = Path("var/doc_extract")
    keep_documents: bool = True
    retention_days: float = Field(default=90.0, gt=0, allow_inf_nan=False)
    sweep_s: Seconds = 3600.0

    @property
    def database(self) -> str:
        """URL of the database in force."""
        return self.database_in("results.db")

    @property
    def blobs(self) -> str:
        """Where the documents are."""
        return self.blobs_in("documents")


class LimitSettings(Group):
    """What callers may ask for.

    Attributes:
        document_bytes: Largest document.
        document_pages: Longest document.
        upload_bytes: Bytes of all documents that calls hold in memory at once; further ones get UPLOADS_FULL.
        upload_idle_s: Seconds without a message after which an upload ends with UPLOAD_IDLE.
        extract_s: Longest that extracting one document may take.
        extractions: Documents of `Extract` that are worked on at once.
        extractions_waiting: Documents of `Extract` that may wait for that; further ones get EXTRACTIONS_FULL.
        batch_documents: Documents of one batch.
        batch_bytes: Bytes of all documents of one batch.
    """

    document_bytes: int = Field(default=50 * _MIB, gt=0)
    document_pages: int = Field(default=300, gt=0)
    upload_bytes: int = Field(default=200 * _MIB, gt=0)
    upload_idle_s: Seconds = 30.0
    extract_s: Seconds = 300.0
    extractions: int = Field(default=2, ge=1)
    extractions_waiting: int = Field(default=16, ge=0)
    batch_documents: int = Field(default=500, ge=1)
    batch_bytes: int = Field(default=2000 * _MIB, gt=0)


class BatchSettings(Group):
    """How batches are worked on.

    Attributes:
        workers: Documents of batches that are worked on at once, beside those of `Extract`; 0 leaves them to others.
        attempts: How often a document is begun before it is given up.
        lease_s: Seconds after which another process takes up the document of one that died.
        poll_s: Seconds between two looks for documents that other processes left.
    """

    workers: int = Field(default=1, ge=0)
    attempts: int = Field(default=8, ge=1)
    lease_s: Seconds = 15.0
    poll_s: Seconds = 1.0


class DocExtractSettings(ServiceSettings):
    """All settings of the doc_extract service."""

    model_config = environment("DOC_EXTRACT")

    server: ServerSettings = ServerSettings(listen="127.0.0.1:50062")
    inference: InferenceSettings = InferenceSettings()
    storage: StorageSettings = StorageSettings()
    limits: LimitSettings = LimitSettings()
    batch: BatchSettings = BatchSettings()
