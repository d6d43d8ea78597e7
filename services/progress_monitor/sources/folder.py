"""Files in folders of this machine."""

import asyncio
from pathlib import Path
from urllib.parse import unquote, urlsplit

from services.progress_monitor.sources.source import Stat, not_allowed, not_found


class LocalFile:
    """A file in a folder; see `Source`.

    Args:
        path: Its path, without symbolic links.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    async def stat(self) -> Stat:
        """See `Source`."""
        return await asyncio.to_thread(self._stat)

    async def read(self, start: int, end: int, stat: Stat) -> bytes:  # noqa: ARG002  # S3's needs it
        """See `Source`."""
        return await asyncio.to_thread(self._read, start, end)

    def _stat(self) -> Stat:
        if not self.path.is_file():
            raise not_found()
        found = self.path.stat()
        return Stat(found.st_size, str(found.st_mtime_ns))

    def _read(self, start: int, end: int) -> bytes:
        with self.path.open("rb") as file:
            file.seek(start)
            return file.read(end - start)


def local_file(uri: str, roots: tuple[Path, ...]) -> LocalFile:
    """The file of a file:// address. Touches the disk.

    Raises:
        InvalidRequestError: URI_NOT_ALLOWED.
    """
    try:
        parts = urlsplit(uri)
        path = Path(unquote(parts.path)).resolve()
    except (ValueError, OSError, RuntimeError):  # a NUL in it, or links that go in circles
        raise not_allowed() from None
    if parts.scheme != "file" or parts.netloc or not any(path.is_relative_to(root.resolve()) for root in roots):
        raise not_allowed()
    return LocalFile(path)
