"""Files that come in chunks: written to disk as they come, hashed, and gone at the end."""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bankai.errors import InvalidRequestError
from services.progress_monitor.sources.source import Source, pieces


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
                raise _too_large(most)
            digest.update(chunk)
            await asyncio.to_thread(file.write, chunk)
        await asyncio.to_thread(file.flush)
        yield Spooled(Path(file.name), digest.hexdigest())


@asynccontextmanager
async def named(source: Source, most: int) -> AsyncIterator[Spooled]:
    """A file that a caller names instead of sending it; one that lies elsewhere is taken in like one that is sent.

    Args:
        source: The file.
        most: Bytes that it may have.

    Raises:
        InvalidRequestError: IMAGE_TOO_LARGE.
        BankaiError: As the source.
    """
    stat = await source.stat()
    if stat.size > most:
        raise _too_large(most)
    if source.path is not None:
        yield await asyncio.to_thread(_hashed, source.path)
        return
    async with spooled(pieces(source, stat), most) as file:
        yield file


def _hashed(path: Path) -> Spooled:
    with path.open("rb") as file:
        return Spooled(path, hashlib.file_digest(file, "sha256").hexdigest())


def _too_large(most: int) -> InvalidRequestError:
    return InvalidRequestError("IMAGE_TOO_LARGE", f"the file is larger than the {most} bytes allowed: cut it")
