"""Files that belong to a service's records: in a folder by default, in an S3 bucket by URL."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import obstore
import structlog
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from bankai.errors import UnavailableError

log = structlog.get_logger(__name__)

_RETRY_AFTER_S = 1.0


class Blobs:
    """Keeps bytes by key. A key that was put is there in full or not at all.

    Args:
        url: s3://bucket/prefix, with credentials where the AWS SDK looks for them; anything else is a folder, which is
            made where it is missing.
    """

    def __init__(self, url: str) -> None:
        self._store: S3Store | LocalStore
        if url.startswith("s3://"):
            self._store = S3Store.from_url(url)
        else:
            Path(url).mkdir(mode=0o700, parents=True, exist_ok=True)
            # A folder is named after what was in it: an empty one goes, too.
            self._store = LocalStore(Path(url).absolute(), automatic_cleanup=True)

    async def put(self, key: str, data: bytes) -> None:
        """Keeps bytes under a key.

        Raises:
            UnavailableError: BLOBS_UNAVAILABLE, here and below.
        """
        with _translated():
            await obstore.put_async(self._store, key, data)

    async def get(self, key: str) -> bytes | None:
        """What is kept under a key; None where nothing is."""
        with _translated():
            try:
                found = await obstore.get_async(self._store, key)
                return bytes(await found.bytes_async())
            except FileNotFoundError:
                return None

    async def delete(self, key: str) -> None:
        """Erases what is kept under a key, if anything."""
        with _translated():
            try:
                await obstore.delete_async(self._store, key)
            except FileNotFoundError:
                return

    async def entries(self, folder: str = "") -> AsyncIterator[tuple[str, datetime]]:
        """Every key with the time at which it was put.

        Args:
            folder: Only keys below it: those that begin with it and a slash; empty for all.
        """
        with _translated():
            async for page in obstore.list(self._store, folder or None):
                for entry in page:
                    yield entry["path"], entry["last_modified"]


@contextmanager
def _translated() -> Iterator[None]:
    """Turns the storage's errors into ours; what they say is for the log: it names paths."""
    try:
        yield
    except (BaseError, OSError) as error:
        log.exception("the blob store does not answer")
        raise UnavailableError(
            "BLOBS_UNAVAILABLE", "the service's file storage does not answer now; try again", retry_after=_RETRY_AFTER_S
        ) from error
