"""Settings of the progress_monitor service, read from BANKAI_PROGRESS_MONITOR_<GROUP>__<NAME>."""

from pathlib import Path

from pydantic import Field, field_validator

from bankai.settings import Group, InferenceSettings, Seconds, ServerSettings, ServiceSettings, environment
from bankai.state_settings import StateSettings

_MIB = 1024 * 1024


class StorageSettings(StateSettings):
    """Where projects and pixels are kept, and for how long.

    Attributes:
        retention_days: Days after which a project is erased, with everything that belongs to it, that was neither
            registered nor changed since and has no picture taken since; after which rescans are forgotten, too.
        sweep_s: Seconds between two looks for what is to be erased.
    """

    folder: Path = Path("var/progress_monitor")
    retention_days: float = Field(default=3650.0, gt=0, allow_inf_nan=False)
    sweep_s: Seconds = 24 * 3600.0

    @property
    def database(self) -> str:
        """URL of the database in force."""
        return self.database_in("projects.db")

    @property
    def blobs(self) -> str:
        """Where the pixels are."""
        return self.blobs_in("pixels")


class LimitSettings(Group):
    """What callers may ask for.

    Attributes:
        image_bytes: Largest picture.
        photo_bytes: Largest photo.
        upload_idle_s: Seconds without a message after which an upload ends with UPLOAD_IDLE.
        observe_s: Longest that measuring one picture may take.
        readers: Pictures, and as many photos, that are decoded at once.
        read_roots: Folders below which `uri` may name files; none unless said.
        read_buckets: The same in S3, as s3://bucket or s3://bucket/prefix, with address and credentials where the AWS
            SDK looks for them.
        catalogue_items: Documents and items that a STAC catalogue may have.
    """

    image_bytes: int = Field(default=1024 * _MIB, gt=0)
    photo_bytes: int = Field(default=32 * _MIB, gt=0)
    upload_idle_s: Seconds = 30.0
    observe_s: Seconds = 120.0
    readers: int = Field(default=2, ge=1)
    read_roots: tuple[Path, ...] = ()
    read_buckets: tuple[str, ...] = ()
    catalogue_items: int = Field(default=10_000, ge=1)

    @field_validator("read_buckets")
    @classmethod
    def _buckets(cls, roots: tuple[str, ...]) -> tuple[str, ...]:
        for root in roots:
            if not root.removeprefix("s3://").strip("/") or not root.startswith("s3://"):
                raise ValueError("must be s3://bucket or s3://bucket/prefix")
        return roots


class RescanSettings(Group):
    """How the portfolio is scanned anew.

    Attributes:
        workers: Projects that are scanned at once; 0 leaves them to other processes.
        lease_s: Seconds after which another process takes up the project of one that died; of a single picture, too.
        poll_s: Seconds between two looks for projects that other processes left.
    """

    workers: int = Field(default=1, ge=0)
    lease_s: Seconds = 30.0
    poll_s: Seconds = 1.0


class ProgressMonitorSettings(ServiceSettings):
    """All settings of the progress_monitor service."""

    model_config = environment("PROGRESS_MONITOR")

    server: ServerSettings = ServerSettings(listen="127.0.0.1:50063")
    inference: InferenceSettings = InferenceSettings()
    storage: StorageSettings = StorageSettings()
    limits: LimitSettings = LimitSettings()
    rescan: RescanSettings = RescanSettings()
