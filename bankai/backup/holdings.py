"""What a service keeps, as the service itself says: `services.<name>.holdings`."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class Reference:
    """A blob that a row of the database refers to.

    Attributes:
        key: Its key.
        sha256: SHA-256 of its bytes, hexadecimal; empty where the row does not say.
        needed: Whether the row is of no use without it; else it may be missing.
    """

    key: str
    sha256: str = ""
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Holdings:
    """Where a service keeps what it keeps.

    Attributes:
        database_url: URL of its database; services may share one.
        blobs_url: Where its blobs are; see `bankai.blobs.Blobs`.
        references: Reads from a database what blobs its rows refer to.
    """

    database_url: str
    blobs_url: str
    references: Callable[[AsyncConnection], Awaitable[Sequence[Reference]]]
