"""Work on a claimed document, for as long as the claim holds."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from bankai.errors import BankaiError
from services.doc_extract.progress import Progress
from services.doc_extract.storage.documents import DocumentStore
from services.doc_extract.submission import Claim

log = structlog.get_logger(__name__)

Outcome = TypeVar("Outcome")
Report = Callable[[Progress], None]

_RENEWALS = 10
"""Renewals in the time of one lease: so many may fail before it runs out. They also tell how far the work is."""


class LeaseLostError(Exception):
    """The claim does not hold any more: the document was erased or cancelled, or another process has it."""


async def under_lease(store: DocumentStore, claim: Claim, work: Callable[[Report], Awaitable[Outcome]]) -> Outcome:
    """Does work and renews the claim meanwhile.

    Args:
        store: Where the claim is renewed.
        claim: A claim that was granted.
        work: The work; it may report how far it is.

    Raises:
        LeaseLostError: The claim was lost; the work was cancelled.
        Exception: What the work raises.
    """
    latest: Progress | None = None

    def report(progress: Progress) -> None:
        nonlocal latest
        latest = progress

    async def renew() -> None:
        while True:
            await asyncio.sleep(store.lease_s / _RENEWALS)
            try:
                if not await store.renew(claim, latest):
                    return
            except BankaiError as error:
                log.warning("a claim was not renewed", reason=error.reason)

    working = asyncio.ensure_future(work(report))
    renewing = asyncio.create_task(renew())
    try:
        await asyncio.wait((working, renewing), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise LeaseLostError
        return working.result()
    finally:
        working.cancel()
        renewing.cancel()
        await asyncio.wait((working, renewing))
