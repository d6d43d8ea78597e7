"""Records in the audit log that a customer's data were erased: hashes and numbers, nothing of the customer's."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from bankai.errors import FaultError
from gateway.audit.log import AuditLog, rfc3339
from gateway.audit.settings import AuditSettings

ERASED = "erased"
"""Event of such a record."""

Record = Callable[[str, str, Mapping[str, Mapping[str, int]]], None]
"""Takes the SHA-256 of the order and of the receipt, and how many of what each process has lost."""


@contextmanager
def recording(settings: AuditSettings | None) -> Iterator[Record]:
    """Opens a chain of the log before anything is erased, so that nothing is that cannot be recorded.

    Args:
        settings: Where the log is, beside the chains of running gateways; None where none is kept.

    Raises:
        FaultError: AUDIT_UNUSABLE.
        UnavailableError: AUDIT_UNAVAILABLE, of a record that could not be written; what was erased is erased.
    """
    if settings is None:
        yield lambda _order, _receipt, _erased: None
        return
    try:
        log = AuditLog(settings)
    except OSError as error:
        raise FaultError(
            "AUDIT_UNUSABLE", f"the audit log in {settings.folder} cannot be written ({error.strerror})"
        ) from None

    def record(order_sha256: str, receipt_sha256: str, erased: Mapping[str, Mapping[str, int]]) -> None:
        counts = {f"{process}_{what}": count for process, lost in erased.items() for what, count in lost.items()}
        hashes = {"order_sha256": order_sha256, "receipt_sha256": receipt_sha256}
        log.record({"event": ERASED, "time": rfc3339(time.time()), **hashes, **counts})

    try:
        yield record
    finally:
        log.close()
