from pathlib import Path

import pytest

from bankai.bulk import local
from bankai.store import Database
from services.progress_monitor import bulk
from services.progress_monitor.settings import ProgressMonitorSettings
from services.progress_monitor.storage.rescans import RescanStore
from tests.services.progress_monitor.serving import project, running

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


async def test_every_project_of_the_portfolio_is_scanned_once_though_one_was_held_by_who_died(tmp_path: Path) -> None:
    async with running(tmp_path / "state") as service:
        for name in ("p1", "p2", "p3"):
            await service.client.register(project(name))
            await service.observe(0, name)
    settings = ProgressMonitorSettings.model_validate(
        {"storage": {"folder": tmp_path / "state"}, "rescan": {"lease_s": 2.0, "poll_s": 0.1}}
    )
    begun = await bulk.start(settings, "after-the-new-model")
    assert (begun.projects, begun.done) == (3, 0)
    database = Database(settings.storage.database)
    assert await RescanStore(database, lease_s=10.0).claim() is not None  # and is never heard of again
    await database.close()
    turns = [str(number) for number in range(3)]
    outcomes = list(local.run(bulk.RescanWork(settings, begun.id), turns, 2))
    assert [outcome["outcome"] for outcome in outcomes] == ["done"] * 3
    ended = await bulk.state(settings, begun.id)
    assert (ended.done, ended.observations, ended.failures) == (3, 3, {})
    assert (await bulk.start(settings, "after-the-new-model")).done == 3  # the same name is the same rescan
