"""Scans the whole portfolio anew with many processes: `bankai batch rescan`.

It is a rescan as `RescanPortfolio` starts it, with the same state: processes of the service, if any run, take part, and
`GetRescan` tells how far it is.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bankai.bulk.work import DONE, FAILED, Do, Outcome
from bankai.errors import BankaiError
from bankai.inference import open_backend
from bankai.store import Database
from services.progress_monitor.app import opened
from services.progress_monitor.settings import ProgressMonitorSettings
from services.progress_monitor.storage.migrations.upgrading import upgrade
from services.progress_monitor.storage.rescans import Rescan, RescanStore


@dataclass(frozen=True)
class RescanWork:
    """Scans projects that wait for it; implements `bankai.bulk.work.Work`.

    An item is one turn: whichever project waits next is scanned, as a turn that is repeated must not repeat a project.
    A turn that finds none waits for those that others hold, as these may have died.

    Attributes:
        settings: The service's settings; its store must be one that every process reaches.
        rescan_id: The rescan whose end ends the waiting.
    """

    settings: ProgressMonitorSettings
    rescan_id: str

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Do]:
        """See `bankai.bulk.work.Work`."""
        backend = open_backend(self.settings.inference)
        try:
            async with opened(self.settings, backend, asyncio.Event()) as (parts, _):

                async def do(item: str) -> Outcome:
                    try:
                        while not await parts.rescanning.scan_next():
                            if not (await parts.rescans.get(self.rescan_id)).left:
                                break
                            await asyncio.sleep(self.settings.rescan.poll_s)
                    except BankaiError as error:
                        return {"item": item, "outcome": FAILED, "reason": error.reason, "message": error.message}
                    return {"item": item, "outcome": DONE}

                yield do
        finally:
            await backend.close()


@asynccontextmanager
async def _rescans(settings: ProgressMonitorSettings) -> AsyncIterator[RescanStore]:
    database = Database(settings.storage.database)
    try:
        await upgrade(database)
        yield RescanStore(database, settings.rescan.lease_s)
    finally:
        await database.close()


async def start(settings: ProgressMonitorSettings, request_id: str) -> Rescan:
    """Starts a rescan of all projects; the same request id gives the same rescan, as far as it is."""
    async with _rescans(settings) as rescans:
        return await rescans.start(request_id)


async def state(settings: ProgressMonitorSettings, rescan_id: str) -> Rescan:
    """A rescan as it is now."""
    async with _rescans(settings) as rescans:
        return await rescans.get(rescan_id)
