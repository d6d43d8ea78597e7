"""Files that callers name instead of sending them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bankai.errors import InvalidRequestError, NotFoundError

PIECE = 8 * 2**20
"""Most bytes of a file that are held in memory at once."""


@dataclass(frozen=True, slots=True)
class Stat:
    """What is known of a file without reading it.

    Attributes:
        size: In bytes.
        tag: Another one where the content is another.
    """

    size: int
    tag: str


class Source(Protocol):
    """A file below a root that the service may read.

    Every method raises NotFoundError URI_NOT_FOUND, and for S3 ConflictError URI_REFUSED and UnavailableError
    URI_UNAVAILABLE.
    """

    @property
    def path(self) -> Path | None:
        """Where it lies on this machine; None where it does not."""

    async def stat(self) -> Stat:
        """What is known of it without reading it."""

    async def read(self, start: int, end: int, stat: Stat) -> bytes:
        """Bytes `start` up to `end`, at most `PIECE`, of the file as `stat` knew it."""


async def pieces(source: Source, stat: Stat) -> AsyncIterator[bytes]:
    """A file's bytes in order.

    Args:
        source: The file.
        stat: What is known of it.
    """
    for start in range(0, stat.size, PIECE):
        yield await source.read(start, min(start + PIECE, stat.size), stat)


def not_allowed() -> InvalidRequestError:
    """The error for an address that the service may not read."""
    return InvalidRequestError(
        "URI_NOT_ALLOWED", "uri must be file:///... or s3://bucket/... below a root that the service may read"
    )


def not_found() -> NotFoundError:
    """The error for an address at which nothing lies."""
    return NotFoundError("URI_NOT_FOUND", "there is no file at uri")
