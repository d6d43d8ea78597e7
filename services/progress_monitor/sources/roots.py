"""What of this machine and of S3 callers may name."""

import asyncio
from pathlib import Path

from obstore.store import S3Store

from services.progress_monitor.sources import s3
from services.progress_monitor.sources.folder import local_file
from services.progress_monitor.sources.source import Source, not_allowed


class Roots:
    """Finds files below the roots that an operator allows, and no others.

    Args:
        folders: Folders of this machine.
        prefixes: s3://bucket or s3://bucket/prefix.
    """

    def __init__(self, folders: tuple[Path, ...], prefixes: tuple[str, ...]) -> None:
        self._folders = folders
        self._prefixes = tuple(f"{prefix.rstrip('/')}/" for prefix in prefixes)
        self._buckets: dict[str, S3Store] = {}

    async def source(self, uri: str) -> Source:
        """The file of an address.

        Raises:
            InvalidRequestError: URI_NOT_ALLOWED.
        """
        if not uri.startswith(s3.SCHEME):
            return await asyncio.to_thread(local_file, uri, self._folders)
        bucket, key = s3.split(uri)
        if not uri.startswith(self._prefixes):
            raise not_allowed()
        if bucket not in self._buckets:
            self._buckets[bucket] = s3.bucket_of(bucket)
        return s3.S3Object(self._buckets[bucket], key)
