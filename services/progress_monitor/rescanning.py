"""Works on rescans of the portfolio: one project after the other, each by one process, none twice."""

import structlog

from bankai.errors import BankaiError, UnavailableError
from bankai.leases import LeaseLostError, under_lease
from bankai.status import internal_error
from bankai.work_metrics import WorkMetrics
from bankai.workers import Workers
from services.progress_monitor.assessing import Assessing
from services.progress_monitor.observing import Observing
from services.progress_monitor.settings import RescanSettings
from services.progress_monitor.storage.projects import ProjectStore
from services.progress_monitor.storage.rescans import Item, RescanStore

log = structlog.get_logger(__name__)

_SITES = WorkMetrics("site")
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
        self._observing, self._assessing = observing, assessing
        self._workers = Workers(self.scan_next, "rescans", settings.workers, settings.poll_s)

    def wake(self) -> None:
        """Tells that there is work, which is found by itself only a little later."""
        self._workers.wake()

    async def run(self) -> None:
        """Works until cancelled."""
        await self._workers.run()

    async def scan_next(self) -> bool:
        """Scans the next project; returns whether there was one.

        Raises:
            UnavailableError: A store or the models do not answer; the project is taken up again later.
        """
        item = await self._rescans.claim()
        if item is None:
            return False
        try:
            measured = await under_lease(self._scan(item), self._rescans.lease_s, lambda: self._rescans.renew(item))
            await self._rescans.finish(item, measured)
        except LeaseLostError:
            log.info("a project was taken away", project=item.project_id)
        except UnavailableError:  # the lease runs out, and the project is taken up again
            raise
        except BankaiError as error:
            await self._rescans.finish(item, 0, error.reason)
        except Exception:
            log.exception("a project was not scanned", project=item.project_id)
            await self._rescans.finish(item, 0, internal_error().reason)
        return True

    async def _scan(self, item: Item) -> int:
        """Measures and assesses a project anew; returns how many pictures were measured."""
        with _SITES.measured():
            project = await self._projects.get(item.project_id)
            measured = await self._observing.measure_again(project, timeout=_PROJECT_S)
            await self._assessing.assess(project, None, timeout=_PROJECT_S)
            return measured
