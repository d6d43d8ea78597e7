"""Work on a claimed document, for as long as the claim holds."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from bankai import leases
from services.doc_extract.progress import Progress
from services.doc_extract.storage.documents import DocumentStore
from services.doc_extract.submission import Claim

Outcome = TypeVar("Outcome")
Report = Callable[[Progress], None]


async def under_lease(store: DocumentStore, claim: Claim, work: Callable[[Report], Awaitable[Outcome]]) -> Outcome:
    """Does work and renews the claim meanwhile, saying how far the work is.

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

    return await leases.under_lease(work(report), store.lease_s, lambda: store.renew(claim, latest))
