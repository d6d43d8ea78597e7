"""Erases projects that the bank wants to keep no longer, and pixels that a process which died has left."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import structlog

from bankai.errors import BankaiError, NotFoundError
from services.progress_monitor.pixels import PixelStore
from services.progress_monitor.project import DAY_S
from services.progress_monitor.settings import StorageSettings
from services.progress_monitor.storage.erasing import ErasingStore
from services.progress_monitor.storage.projects import ProjectStore

log = structlog.get_logger(__name__)

_ORPHAN_AGE = timedelta(days=1)
"""Age from which pixels of no observation are erased; a picture's are kept before its observation is."""


class Retention:
    """Erases what is due.

    Args:
        projects: What is erased.
        found: Knows what is due.
        pixels: What belongs to it.
        settings: When.
    """

    def __init__(
        self, projects: ProjectStore, found: ErasingStore, pixels: PixelStore, settings: StorageSettings
    ) -> None:
        self._projects, self._found = projects, found
        self._pixels, self._settings = pixels, settings

    async def run(self) -> None:
        """Looks again and again until cancelled."""
        while True:
            try:
                await self.sweep()
            except BankaiError as error:
                log.warning("nothing was erased", reason=error.reason)
            await asyncio.sleep(self._settings.sweep_s)

    async def sweep(self) -> int:
        """Erases what is due; returns how many projects.

        Raises:
            UnavailableError: STORE_UNAVAILABLE or BLOBS_UNAVAILABLE.
        """
        before = time.time() - self._settings.retention_days * DAY_S
        await self._found.forget_rescans(before)
        due = await self._found.without_news(before)
        for project_id in due:
            await self.erase(project_id)
        if due:
            log.info("erased", projects=len(due))
        orphaned = datetime.now(UTC) - _ORPHAN_AGE
        old = {(project_id, each) async for project_id, each, put in self._pixels.kept() if put < orphaned}
        needed = await self._found.observation_ids() if old else frozenset()
        for project_id, observation_id in old:
            if observation_id not in needed:
                await self._pixels.delete(project_id, observation_id)
        return len(due)

    async def erase(self, project_id: str) -> None:
        """Erases a project, everything that belongs to it, and all its pixels."""
        try:
            await self._projects.delete(project_id)
        except NotFoundError:  # another process was faster
            return
        finally:
            await self._pixels.delete_project(project_id)
