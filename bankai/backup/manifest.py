"""What a backup holds, with a hash of everything."""

from hashlib import file_digest
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from bankai.errors import InvalidRequestError
from bankai.validation import first_problem

FILE = "manifest.json"
"""Its name; written last, so that a folder without one is no whole backup."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DatabaseCopy(_Entry):
    """The copy of a database.

    Attributes:
        file: Its file below the backup's folder.
        kind: "sqlite" or "postgresql".
        components: The services whose database it is.
        sha256: SHA-256 of the file, hexadecimal.
    """

    file: str
    kind: str
    components: tuple[str, ...]
    sha256: str


class BlobCopies(_Entry):
    """The copies of a service's blobs.

    Attributes:
        component: The service.
        folder: Their folder below the backup's.
        hashes: SHA-256 of each, hexadecimal, by its key.
        missing: Keys that the database refers to, but of which there was no blob: erased meanwhile, or lost before.
        damaged: Keys whose blob was not what the database says of it.
    """

    component: str
    folder: str
    hashes: dict[str, str]
    missing: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()


class Manifest(_Entry):
    """A backup.

    Attributes:
        made: When, in RFC 3339.
        databases: Copies of databases.
        blobs: Copies of blobs; none where they are backed up in another way.
    """

    made: str
    databases: tuple[DatabaseCopy, ...]
    blobs: tuple[BlobCopies, ...]

    def write(self, folder: Path) -> None:
        """Makes the folder a backup."""
        (folder / FILE).write_text(self.model_dump_json(indent=2), encoding="utf-8")


def read(folder: Path) -> Manifest:
    """The manifest of a backup.

    Raises:
        InvalidRequestError: BACKUP_INVALID, where the folder is none, or not a whole one.
    """
    try:
        return Manifest.model_validate_json((folder / FILE).read_bytes())
    except OSError as error:
        raise InvalidRequestError(
            "BACKUP_INVALID", f"{folder} is no whole backup: {FILE} cannot be read ({error.strerror})"
        ) from None
    except ValidationError as error:
        raise InvalidRequestError("BACKUP_INVALID", f"{folder / FILE}: {first_problem(error)}") from None


def digest(file: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with file.open("rb") as opened:
        return file_digest(opened, "sha256").hexdigest()
