"""What files say, read again when they change while the process runs: keys, certificates, policies."""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

import structlog

log = structlog.get_logger(__name__)

Content = TypeVar("Content")

PERIOD_S = 1.0
"""Seconds between two looks at the files, at least."""


class Watched(Generic[Content]):
    """The content of files that belong together, looked at again when it is asked for. Any thread may ask.

    Files that become wrong or go away change nothing but the log: the last good content stays in force.

    Args:
        files: The files; a symbolic link may change its target, as mounted secrets do.
        read: Reads and checks them.

    Raises:
        ValueError: What `read` raises where they are wrong at the start.
    """

    def __init__(self, files: Sequence[Path], read: Callable[[], Content]) -> None:
        self._files = tuple(files)
        self._read = read
        self._lock = threading.Lock()
        self._stamp = self._look()
        self._looked_at = time.monotonic()
        self._content = read()

    @property
    def current(self) -> Content:
        """The last good content. A new object at every change."""
        if time.monotonic() - self._looked_at >= PERIOD_S:
            with self._lock:
                self._refresh()
        return self._content

    def _refresh(self) -> None:
        self._looked_at = time.monotonic()
        stamp = self._look()
        if stamp is None or stamp == self._stamp:
            return
        self._stamp = stamp
        names = [file.name for file in self._files]
        try:
            self._content = self._read()
        except ValueError as error:
            log.error("changed files are wrong; what they said before stays in force", files=names, problem=str(error))  # noqa: TRY400  # a person's mistake: no traceback
        else:
            log.info("changed files are in force", files=names)

    def _look(self) -> tuple[tuple[int, int, int], ...] | None:
        """What tells the files from their former selves; None while one of them is being replaced."""
        try:
            stats = [file.stat() for file in self._files]
        except OSError:
            return None
        return tuple((stat.st_mtime_ns, stat.st_size, stat.st_ino) for stat in stats)
