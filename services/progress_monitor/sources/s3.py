"""Objects in S3."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import obstore
import structlog
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from bankai.errors import ConflictError, UnavailableError
from services.progress_monitor.sources.source import Stat, not_allowed, not_found

log = structlog.get_logger(__name__)

SCHEME = "s3://"
_RETRY_AFTER_S = 1.0
_RETRIES = 2


def bucket_of(name: str) -> S3Store:
    """A bucket, with address and credentials where the AWS SDK looks for them."""
    return S3Store(name, retry_config={"max_retries": _RETRIES, "retry_timeout": timedelta(seconds=30)})


def split(uri: str) -> tuple[str, str]:
    """Bucket and key of an s3:// address. A key is taken as it stands: nothing is decoded.

    Raises:
        InvalidRequestError: URI_NOT_ALLOWED. HTTP would read "." and ".." in a key as steps to another place.
    """
    bucket, _, key = uri.removeprefix(SCHEME).partition("/")
    if not bucket or not uri.isprintable() or any(part in {"", ".", ".."} for part in key.split("/")):
        raise not_allowed()
    return bucket, key


class S3Object:
    """An object; see `Source`.

    Args:
        bucket: Where it lies.
        key: Its key.
    """

    def __init__(self, bucket: S3Store, key: str) -> None:
        self._bucket, self._key = bucket, key

    @property
    def path(self) -> Path | None:
        """See `Source`."""
        return None

    async def stat(self) -> Stat:
        """See `Source`."""
        with _translated():
            found = await obstore.head_async(self._bucket, self._key)
        return Stat(found["size"], found["e_tag"] or str(found["last_modified"]))

    async def read(self, start: int, end: int, stat: Stat) -> bytes:
        """See `Source`. One that was put anew meanwhile is URI_UNAVAILABLE: no file is half one and half another."""
        with _translated():
            found = await obstore.get_async(self._bucket, self._key, options={"range": (start, end)})
            if (found.meta["e_tag"] or str(found.meta["last_modified"])) != stat.tag:
                raise _unavailable()
            return bytes(await found.bytes_async())


@contextmanager
def _translated() -> Iterator[None]:
    """Turns the storage's errors into ours; what they say is for the log: it names keys."""
    try:
        yield
    except FileNotFoundError:
        raise not_found() from None
    except (PermissionDeniedError, UnauthenticatedError) as error:
        log.exception("the object storage refuses")
        raise ConflictError(
            "URI_REFUSED", "the object storage does not let the service read uri: let it, or name another file"
        ) from error
    except (BaseError, OSError) as error:
        log.exception("the object storage does not answer")
        raise _unavailable() from error


def _unavailable() -> UnavailableError:
    return UnavailableError(
        "URI_UNAVAILABLE", "the storage in which uri lies does not answer now; try again", retry_after=_RETRY_AFTER_S
    )
