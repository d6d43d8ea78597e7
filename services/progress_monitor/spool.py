"""Files that come in chunks: written to disk as they come, hashed, and gone at the end."""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bankai.errors import InvalidRequestError, NotFoundError
from services.progress_monitor.settings import LimitSettings


@dataclass(frozen=True, slots=True)
class Spooled:
    """A file that came in full.

    Attributes:
        path: Where it is, without a name of its own.
        sha256: Hexadecimal.
    """

    path: Path
    sha256: str


@asynccontextmanager
async def spooled(chunks: AsyncIterator[bytes], most: int) -> AsyncIterator[Spooled]:
    """Takes in a file.

    Args:
        chunks: Its bytes.
        most: Bytes that it may have.

    Raises:
        InvalidRequestError: IMAGE_TOO_LARGE.
    """
    with tempfile.NamedTemporaryFile(prefix="bankai-") as file:
        digest = hashlib.sha256()
        size = 0
        async for chunk in chunks:
            size += len(chunk)
            if size > most:
                raise InvalidRequestError(
                    "IMAGE_TOO_LARGE", f"the file is larger than the {most} bytes allowed: cut it"
                )
            digest.update(chunk)
            await asyncio.to_thread(file.write, chunk)
        await asyncio.to_thread(file.flush)
        yield Spooled(Path(file.name), digest.hexdigest())


async def named(uri: str, limits: LimitSettings) -> Spooled:
    """A file that a caller names instead of sending it.

    Raises:
        InvalidRequestError: URI_NOT_ALLOWED or IMAGE_TOO_LARGE.
        NotFoundError: URI_NOT_FOUND.
    """
    parts = urlsplit(uri)
    path = await asyncio.to_thread(Path(unquote(parts.path)).resolve)
    roots = [await asyncio.to_thread(root.resolve) for root in limits.read_roots]
    if parts.scheme != "file" or parts.netloc or not any(path.is_relative_to(root) for root in roots):
        raise InvalidRequestError("URI_NOT_ALLOWED", "uri must be file:///... below a folder that the service may read")
    return await asyncio.to_thread(_hashed, path, limits.image_bytes)


def _hashed(path: Path, most: int) -> Spooled:
    if not path.is_file():
        raise NotFoundError("URI_NOT_FOUND", "there is no file at uri")
    if path.stat().st_size > most:
        raise InvalidRequestError("IMAGE_TOO_LARGE", f"the file is larger than the {most} bytes allowed: cut it")
    with path.open("rb") as file:
        return Spooled(path, hashlib.file_digest(file, "sha256").hexdigest())
