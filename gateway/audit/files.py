"""The files of the audit log: how they are named, and appending to one."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from gateway.audit.lines import MAX_LINE_BYTES

_NAME = re.compile(r"audit-([a-p]{16})-([0-9]{6,})\.jsonl")


def file_of(folder: Path, chain: str, number: int) -> Path:
    """The file of a chain.

    Args:
        folder: Folder of the log.
        chain: Id of the chain.
        number: Which of its files, from 1.
    """
    return folder / f"audit-{chain}-{number:06d}.jsonl"


def lock_of(folder: Path, chain: str) -> Path:
    """The file whose lock the process holds that writes the chain."""
    return folder / f"audit-{chain}.lock"


def torn_of(file: Path) -> Path:
    """Where bytes of a line are kept that a file ended with and that is cut short."""
    return file.with_suffix(".torn")


def chains_in(folder: Path) -> dict[str, list[tuple[int, Path]]]:
    """The files of each chain with their numbers, in order.

    Raises:
        OSError: The folder cannot be read.
    """
    found: dict[str, list[tuple[int, Path]]] = {}
    for file in folder.iterdir():
        if match := _NAME.fullmatch(file.name):
            found.setdefault(match[1], []).append((int(match[2]), file))
    return {chain: sorted(found[chain]) for chain in sorted(found)}


def lines_of(file: Path) -> Iterator[bytes]:
    """The lines of a file with their line feeds; of what is longer than any line can be, pieces.

    Raises:
        OSError: The file cannot be read.
    """
    with file.open("rb") as stream:
        while line := stream.readline(MAX_LINE_BYTES):
            yield line


def last_line_of(file: Path) -> bytes:
    """The last line of a file; of an empty one, nothing.

    Raises:
        OSError: The file cannot be read.
    """
    with file.open("rb") as stream:
        stream.seek(max(0, stream.seek(0, os.SEEK_END) - MAX_LINE_BYTES))
        return (stream.readlines() or [b""])[-1]


class AppendedFile:
    """A file that grows by whole lines.

    Args:
        path: The file; made where there is none.

    Raises:
        OSError: It cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.size = os.fstat(self._descriptor).st_size
        """Bytes of whole lines."""
        self._torn = False

    def append(self, line: bytes) -> None:
        """Adds a line with one write; what was written of one that does not fit is taken back.

        Raises:
            OSError: Nothing was added.
        """
        if self._torn:
            self._mend()
        written = os.write(self._descriptor, line)
        if written != len(line):
            self._torn = True
            with suppress(OSError):  # tried again before the next line
                self._mend()
            raise OSError(errno.ENOSPC, "only a part of the line could be written")
        self.size += written

    def sync(self) -> None:
        """Waits until everything is on the disk.

        Raises:
            OSError: It is not known what is.
        """
        os.fsync(self._descriptor)

    def is_untouched(self) -> bool:
        """Whether nobody else has removed it or changed its size."""
        state = os.fstat(self._descriptor)
        return state.st_nlink > 0 and (self._torn or state.st_size == self.size)

    def close(self) -> None:
        """Closes it; what is appended from then on fails."""
        descriptor, self._descriptor = self._descriptor, -1
        os.close(descriptor)

    def _mend(self) -> None:
        os.ftruncate(self._descriptor, self.size)
        self._torn = False


def sync_folder(folder: Path) -> None:
    """Waits until the names of new files are on the disk.

    Raises:
        OSError: It is not known whether they are.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
