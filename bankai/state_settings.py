"""Where a service keeps its state: settings that every service with a store has."""

from pathlib import Path

from pydantic import SecretStr, field_validator

from bankai.settings import Group
from bankai.store import SCHEMES


class DatabaseSettings(Group):
    """Where records are kept.

    Attributes:
        folder: Folder of what has no URL.
        database_url: sqlite:///file or postgresql://user:password@host/name; empty means SQLite in the folder.
    """

    folder: Path
    database_url: SecretStr = SecretStr("")

    @field_validator("database_url")
    @classmethod
    def _a_database(cls, url: SecretStr) -> SecretStr:
        value = url.get_secret_value()
        if value and not value.startswith(SCHEMES):
            raise ValueError(f"must begin with {' or '.join(SCHEMES)}")
        return url

    def database_in(self, file: str) -> str:
        """URL of the database in force; the name of its file where none is set."""
        return self.database_url.get_secret_value() or f"sqlite:///{self.folder / file}"


class StateSettings(DatabaseSettings):
    """Where records and files are kept.

    Attributes:
        blobs_url: s3://bucket/prefix or a folder; empty means one inside the folder.
    """

    blobs_url: str = ""

    @field_validator("blobs_url")
    @classmethod
    def _a_folder_or_s3(cls, url: str) -> str:
        if "://" in url and not url.startswith("s3://"):
            raise ValueError("must be s3://bucket/prefix or a folder")
        return url

    def blobs_in(self, folder: str) -> str:
        """Where the files are; the name of their folder where none is set."""
        return self.blobs_url or str(self.folder / folder)
