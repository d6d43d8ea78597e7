"""Work that is claimed by one process at a time, for as long as its lease is renewed."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from bankai.errors import BankaiError

log = structlog.get_logger(__name__)

Outcome = TypeVar("Outcome")

_RENEWALS = 10
"""Renewals in the time of one lease: so many may fail before it runs out. They may also tell how far the work is."""


class LeaseLostError(Exception):
    """The claim does not hold any more: what was claimed was erased or cancelled, or another process has it."""


async def under_lease(work: Awaitable[Outcome], lease_s: float, renew: Callable[[], Awaitable[bool]]) -> Outcome:
    """Does work and renews its claim meanwhile.

    Args:
        work: The work.
        lease_s: Seconds for which a claim holds without being renewed.
        renew: Renews it; returns whether it still holds.

    Raises:
        LeaseLostError: The claim was lost; the work was cancelled.
        Exception: What the work raises.
    """

    async def keep() -> None:
        while True:
            await asyncio.sleep(lease_s / _RENEWALS)
            try:
                if not await renew():
                    return
            except BankaiError as error:
                log.warning("a claim was not renewed", reason=error.reason)

    working = asyncio.ensure_future(work)
    renewing = asyncio.create_task(keep())
    try:
        await asyncio.wait((working, renewing), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise LeaseLostError
        return working.result()
    finally:
        working.cancel()
        renewing.cancel()
        await asyncio.wait((working, renewing))
