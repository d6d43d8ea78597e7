"""Which chain a process writes: one that a process before it has left, or a new one."""

import fcntl
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import structlog

from gateway.audit.files import chains_in, lines_of, lock_of, torn_of
from gateway.audit.keys import Verifier
from gateway.audit.letters import to_letters
from gateway.audit.lines import FIRST_HASH
from gateway.audit.links import Links

log = structlog.get_logger(__name__)

_ID_BYTES = 8
_BLOCK = 1 << 16


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of a chain that this process may write.

    Attributes:
        chain: Id of the chain.
        number: Its last file.
        sequence: Place of its last record; 0 in a new chain.
        hash: Hash of that.
        torn_bytes: Bytes of a last line cut short that were set aside.
        lock: Descriptor whose lock keeps other processes off the chain; held until it is closed.
    """

    chain: str
    number: int
    sequence: int
    hash: str
    torn_bytes: int
    lock: int


def take_chain(folder: Path, verifier: Verifier) -> Tail:
    """Takes over a chain whose process has ended and whose end is sound; begins a new one where there is none.

    A chain whose end is not sound stays as it is, for whoever verifies the log.

    Args:
        folder: Folder of the log.
        verifier: Checks signatures of the chain's last file; those of other keys are left to whoever verifies the log.

    Raises:
        OSError: The folder cannot be read or written.
    """
    for chain, files in chains_in(folder).items():
        lock = _lock(lock_of(folder, chain))
        if lock is None:  # another process writes it
            continue
        tail = _end_of(chain, files, verifier, lock)
        if tail is not None:
            return tail
        os.close(lock)
    chain = to_letters(secrets.token_bytes(_ID_BYTES))
    lock = _lock(lock_of(folder, chain))
    if lock is None:
        raise BlockingIOError("the lock of a new chain is taken")
    return Tail(chain, 1, 0, FIRST_HASH, 0, lock)


def _lock(file: Path) -> int | None:
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _end_of(chain: str, files: list[tuple[int, Path]], verifier: Verifier, lock: int) -> Tail | None:
    number, last = files[-1]
    if number > 1 and not last.stat().st_size:  # the process ended right after it had made the file
        last.unlink()
        return _end_of(chain, files[:-1], verifier, lock) if files[:-1] else None
    torn_bytes = _set_aside_torn(last)
    links = Links(chain, verifier, from_start=number == 1, any_key=True)  # the key may be a new one
    for count, raw in enumerate(lines_of(last), start=1):
        _, wrong = links.follow(raw)
        if wrong:
            log.error("a chain of the audit log is broken", file=last.name, line=count, problem=wrong[0])
            return None
    return Tail(chain, number, links.sequence, links.hash, torn_bytes, lock)


def _set_aside_torn(file: Path) -> int:
    """Moves what follows the last line feed into a file beside it; returns how many bytes these are."""
    with file.open("r+b") as stream:
        size = whole = stream.seek(0, os.SEEK_END)
        while whole > 0:
            begin = max(0, whole - _BLOCK)
            stream.seek(begin)
            at = stream.read(whole - begin).rfind(b"\n")
            whole = begin + at + 1
            if at >= 0:
                break
        if whole == size:
            return 0
        stream.seek(whole)
        with torn_of(file).open("ab") as aside:
            aside.write(stream.read() + b"\n")
            aside.flush()
            os.fsync(aside.fileno())
        stream.truncate(whole)
    log.warning("a line of the audit log was cut short", file=file.name, bytes=size - whole, kept=torn_of(file).name)
    return size - whole
