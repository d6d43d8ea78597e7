"""Writes the audit log of one process: one chain of records, signed again and again."""

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from functools import lru_cache
from typing import Any

import structlog
from prometheus_client import Counter

from bankai.background import beside
from bankai.errors import FaultError, UnavailableError
from gateway.audit.files import AppendedFile, file_of, sync_folder, torn_of
from gateway.audit.keys import Signer, Verifier, read_private_key
from gateway.audit.letters import to_letters
from gateway.audit.lines import CHECKPOINT, PRUNED, ROTATION, encode, join
from gateway.audit.pruning import due
from gateway.audit.resuming import take_chain
from gateway.audit.settings import AuditSettings

log = structlog.get_logger(__name__)

RECORDS = Counter("bankai_audit_records", "Records of calls written to the audit log.")
FAILURES = Counter("bankai_audit_failures", "Records of calls that could not be written to the audit log.")

CHECKPOINT_EVENT = "audit checkpoint"
"""The log line that every checkpoint becomes, for a copy outside of the folder."""

_RETRY_AFTER_S = 1.0
_PRUNING_S = 3600.0


class AuditLog:
    """Appends records. All but `sync` belongs to one thread.

    Args:
        settings: Where and how.

    Raises:
        OSError: The folder or a file cannot be used.
    """

    def __init__(self, settings: AuditSettings) -> None:
        self._settings = settings
        key = read_private_key(settings.key)
        self._signer = Signer(key)
        settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        tail = take_chain(settings.folder, Verifier([key.public_key()]))
        self.chain = tail.chain
        """Id of the chain that this process writes."""
        self._lock = tail.lock
        self._number = tail.number
        self._sequence, self._hash = tail.sequence, tail.hash
        self._file = AppendedFile(file_of(settings.folder, tail.chain, tail.number))
        self._full: list[AppendedFile] = []
        self._syncing = threading.Lock()
        self._works = True
        self._unrecorded = 0
        self._unsigned = 0
        self._signed_at = 0.0
        self._pruned_at = -_PRUNING_S
        self.checkpoint("start", torn_bytes=tail.torn_bytes)

    def admit(self) -> None:
        """Lets a call begin.

        Raises:
            UnavailableError: AUDIT_UNAVAILABLE, where its record could not be written now.
        """
        if not self._works and self._settings.required:
            self._unrecorded += 1
            raise _unavailable()

    def record(self, fields: Mapping[str, Any]) -> int:
        """Writes a record; when this returns, it has left the process.

        Args:
            fields: What to record: text and whole numbers, `event` among them.

        Returns:
            Its place in the chain; 0 where it could not be written and need not be.

        Raises:
            UnavailableError: AUDIT_UNAVAILABLE.
        """
        try:
            if self._file.size >= self._settings.max_file_bytes:
                self._rotate()
            elif self._unsigned >= self._settings.checkpoint_records:
                self.checkpoint("records")
            self._append(fields)
        except OSError as error:
            self._failed(error)
            self._unrecorded += 1
            FAILURES.inc()
            if self._settings.required:
                raise _unavailable() from None
            return 0
        self._unsigned += 1
        RECORDS.inc()
        return self._sequence

    def checkpoint(self, why: str, *, torn_bytes: int = 0) -> None:
        """Signs the chain as it is.

        Args:
            why: What made it due, in a word.
            torn_bytes: Bytes of a line cut short that were set aside before.

        Raises:
            OSError: It could not be written.
        """
        line = self._append(
            {
                "event": CHECKPOINT,
                "every": self._settings.checkpoint_records,
                "key": self._signer.key_id,
                "time": rfc3339(time.time()),
                "torn_bytes": torn_bytes,
                "unrecorded": self._unrecorded,
                "why": why,
            },
            signed=True,
        )
        self._unsigned = self._unrecorded = 0
        self._signed_at = time.monotonic()
        log.info(CHECKPOINT_EVENT, chain=self.chain, sequence=self._sequence, checkpoint=to_letters(line))

    def tend(self) -> None:
        """Does what is due: a checkpoint, another try where writing has failed, and a look whether the file is ours."""
        try:
            if not self._file.is_untouched():
                log.error("somebody else has changed a file of the audit log", file=self._file.path.name)
                self._go_on_in(self._open_next())
            if not self._works:
                self.checkpoint("recovery")
                self._works = True
                log.info("the audit log can be written again")
            elif self._unsigned and time.monotonic() - self._signed_at >= self._settings.checkpoint_s:
                self.checkpoint("time")
            if self._settings.retention_days and time.monotonic() - self._pruned_at >= _PRUNING_S:
                self._pruned_at = time.monotonic()
                self.prune(self._settings.retention_days)
        except OSError as error:
            self._failed(error)

    def prune(self, retention_days: float) -> None:
        """Erases the chain's files that are older than the log is kept.

        The log says so first, and signs it: a file that is missing without such a record was taken away.

        Args:
            retention_days: How long it is kept.

        Raises:
            OSError: The log could not be written.
        """
        while (file := due(self._settings.folder, self.chain, retention_days)) is not None:
            if self._unsigned >= self._settings.checkpoint_records:
                self.checkpoint("records")
            self._append({**file.record(), "time": rfc3339(time.time())})
            self.checkpoint(PRUNED)
            self.sync()
            try:
                file.path.unlink()
                torn_of(file.path).unlink(missing_ok=True)
            except OSError as error:  # the log goes on; it is tried again
                log.warning("a file of the audit log could not be erased", file=file.path.name, error=error.strerror)
                return
            log.info("a file of the audit log was erased", file=file.path.name)

    def sync(self) -> None:
        """Waits until everything so far is on the disk. May run beside the other methods in a thread of its own.

        Raises:
            OSError: It is not known what is.
        """
        with self._syncing:
            current = self._file
            while self._full:
                self._full[0].sync()
                self._full.pop(0).close()
            current.sync()
            sync_folder(self._settings.folder)

    async def keep(self) -> None:
        """Tends and syncs again and again."""
        while True:
            await asyncio.sleep(min(self._settings.sync_s, self._settings.checkpoint_s))
            self.tend()
            try:
                await asyncio.to_thread(self.sync)
            except OSError as error:
                self._failed(error)

    def close(self) -> None:
        """Signs what is new, syncs, and leaves the chain to another process."""
        try:
            self.checkpoint("shutdown")
            self.sync()
        except OSError as error:
            self._failed(error)
        with self._syncing:
            for file in (*self._full, self._file):
                with suppress(OSError):
                    file.close()
        os.close(self._lock)

    def _append(self, fields: Mapping[str, Any], *, signed: bool = False) -> bytes:
        place = {"chain": self.chain, "previous": self._hash, "sequence": self._sequence + 1}
        body, digest = encode({**fields, **place})
        line = join(body, digest, self._signer.sign(body) if signed else "")
        self._file.append(line)
        self._sequence += 1
        self._hash = digest
        return line

    def _rotate(self) -> None:
        # Made first, so that no chain ends with this checkpoint unless a file is missing.
        file = self._open_next()
        try:
            self.checkpoint(ROTATION)
        except OSError:
            file.close()
            raise
        self._go_on_in(file)

    def _open_next(self) -> AppendedFile:
        return AppendedFile(file_of(self._settings.folder, self.chain, self._number + 1))

    def _go_on_in(self, file: AppendedFile) -> None:
        self._full.append(self._file)
        self._file = file
        self._number += 1

    def _failed(self, error: OSError) -> None:
        if self._works:
            log.error("the audit log cannot be written", error=error.strerror, required=self._settings.required)
        self._works = False


@asynccontextmanager
async def audit_log(settings: AuditSettings) -> AsyncIterator[AuditLog]:
    """A log that is tended while the context is open.

    Args:
        settings: Where and how.

    Raises:
        FaultError: AUDIT_UNUSABLE, where not even a first record can be written.
    """
    try:
        opened = AuditLog(settings)
    except OSError as error:
        raise FaultError(
            "AUDIT_UNUSABLE", f"the audit log in {settings.folder} cannot be written ({error.strerror})"
        ) from None
    try:
        async with beside(opened.keep()):
            yield opened
    finally:
        opened.close()


def rfc3339(seconds: float) -> str:
    """A time as text whose order is that of the times, e.g. "2026-01-31T09:00:00.000000Z".

    Args:
        seconds: Seconds since 1970.
    """
    whole, micros = divmod(round(seconds * 1_000_000), 1_000_000)
    return f"{_to_the_second(whole)}.{micros:06d}Z"


@lru_cache(maxsize=8)  # the calls of a second share it
def _to_the_second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def _unavailable() -> UnavailableError:
    return UnavailableError(
        "AUDIT_UNAVAILABLE", "the call cannot be recorded now, without which none is served", retry_after=_RETRY_AFTER_S
    )
