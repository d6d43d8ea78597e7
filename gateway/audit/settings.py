"""Settings of the audit log."""

from pathlib import Path

from pydantic import Field, field_validator

from bankai.settings import Group, Seconds
from gateway.audit.keys import read_private_key


class AuditSettings(Group):
    """Where every call is recorded, and how.

    Attributes:
        folder: Folder of the log; processes may share it.
        key: PEM file with the private Ed25519 key that signs it; see `bankai audit new-key`.
        required: Whether calls are refused while they cannot be recorded; else they are counted in a metric.
        max_file_bytes: Size at which the next file begins.
        checkpoint_records: Records after which a signed checkpoint comes.
        checkpoint_s: Seconds after which one comes where there are new records.
        sync_s: Seconds between two waits, in the background, until the records are on the disk.
        retention_days: Days after its last record at which a full file is erased, oldest first, and the log says so;
            none is unless this is set.
    """

    folder: Path
    key: Path
    required: bool = True
    max_file_bytes: int = Field(default=64 * 1024 * 1024, gt=0)
    checkpoint_records: int = Field(default=1000, gt=0)
    checkpoint_s: Seconds = 10.0
    sync_s: Seconds = 1.0
    retention_days: float | None = Field(default=None, gt=0, allow_inf_nan=False)

    @field_validator("key")
    @classmethod
    def _a_key(cls, file: Path) -> Path:
        read_private_key(file)
        return file
