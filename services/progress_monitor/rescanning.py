"""Works on rescans of the portfolio: one project after the other, each by one process, none twice."""

import asyncio

import structlog

from bankai.background import beside
from bankai.errors import BankaiError, UnavailableError
from services.progress_monitor.assessing import Assessing
from services.progress_monitor.observing import Observing
from services.progress_monitor.settings import RescanSettings
from services.progress_monitor.storage.projects import ProjectStore
from services.progress_monitor.storage.rescans import Item, RescanStore

log = structlog.get_logger(__name__)

_PROJECT_S = 600.0
"""Longest that one project may take."""


class Rescanning:
    """Scans the projects of rescans.

    Args:
        rescans: Knows what is to be done.
        projects: Keeps projects.
        observing: Measures pictures.
        assessing: Assesses projects.
        settings: How many at once.
    """

    def __init__(
        self,
        rescans: RescanStore,
        projects: ProjectStore,
        observing: Observing,
        assessing: Assessing,
        settings: RescanSettings,
    ) -> None:
        self._rescans, self._projects = rescans, projects
        self._observing, self._assessing, self._settings = observing, assessing, settings
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Says that there is something to do."""
        self._woken.set()

    async def run(self) -> None:
        """Works until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._settings.workers):
                group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            try:
                item = await self._rescans.claim()
            except UnavailableError:
                item = None
            if item is not None:
                await self._scan(item)
                continue
            self._woken.clear()
            try:
                async with asyncio.timeout(self._settings.poll_s):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def _scan(self, item: Item) -> None:
        try:
            async with beside(self._renew(item)):
                project = await self._projects.get(item.project_id)
                measured = await self._observing.measure_again(project, timeout=_PROJECT_S)
                await self._assessing.assess(project, None, timeout=_PROJECT_S)
            await self._rescans.finish(item, measured)
        except UnavailableError as error:  # the lease runs out, and the project is taken up again
            log.warning("a project waits to be scanned", reason=error.reason)
            await asyncio.sleep(self._settings.poll_s)
        except BankaiError as error:
            await self._rescans.finish(item, 0, error.reason)

    async def _renew(self, item: Item) -> None:
        while True:
            await asyncio.sleep(self._rescans.lease_s / 3)
            await self._rescans.renew(item)
