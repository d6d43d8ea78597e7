"""Projects without news are erased, and pixels of nobody."""

import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bankai.blobs import Blobs
from bankai.errors import NotFoundError
from bankai.keeping import ErasureOrder
from bankai.store import Database
from services.progress_monitor.keeping import ProjectKeeper
from services.progress_monitor.pixels import PixelStore
from services.progress_monitor.project import DAY_S, Plan, Project
from services.progress_monitor.settings import ProgressMonitorSettings
from services.progress_monitor.storage.migrations.upgrading import upgrade
from services.progress_monitor.storage.projects import ProjectStore
from services.progress_monitor.storage.rescans import RescanStore
from services.progress_monitor.storage.tables import rescans

AOI = '{"type": "Polygon", "coordinates": []}'


class Kept:
    """A keeper and what it keeps."""

    def __init__(self, folder: Path, database: Database) -> None:
        settings = ProgressMonitorSettings.model_validate({"storage": {"folder": folder, "retention_days": 30}})
        self.folder, self.database = folder, database
        self.blobs = Blobs(str(folder / "pixels"))
        self.projects = ProjectStore(database)
        self.keeper = ProjectKeeper(database, PixelStore(self.blobs), settings)

    async def add(self, project_id: str, name: str = "", days_ago: float = 0.0) -> None:
        created = time.time() - days_ago * DAY_S
        await self.projects.add(Project(project_id, name, AOI, Plan(), created, 1.0))
        await self.blobs.put(f"{project_id}/abc/chip.npz", b"pixels")

    def files(self) -> set[str]:
        return {str(file.relative_to(self.folder / "pixels")) for file in self.folder.rglob("*.npz")}

    def traces(self) -> bytes:
        return b"".join(file.read_bytes() for file in self.folder.rglob("*") if file.is_file())


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Kept]:
    database = Database(f"sqlite:///{tmp_path}/projects.db")
    await upgrade(database)
    yield Kept(tmp_path, database)
    await database.close()


async def test_projects_without_news_are_erased(kept: Kept) -> None:
    await kept.add("old", days_ago=31)
    await kept.add("old-2")
    assert await kept.keeper.sweep() == {"projects": 1}
    assert [each.id for each in await kept.projects.list(10)] == ["old-2"]
    assert kept.files() == {"old-2/abc/chip.npz"}


async def test_old_rescans_are_forgotten(kept: Kept) -> None:
    await kept.add("site")
    store = RescanStore(kept.database, 1.0)
    old, young = await store.start("old"), await store.start("young")
    async with kept.database.write() as connection:
        long_ago = time.time() - 31 * DAY_S
        await connection.execute(rescans.update().where(rescans.c.id == old.id).values(created=long_ago))
    await kept.keeper.sweep()
    with pytest.raises(NotFoundError):
        await store.get(old.id)
    assert (await store.get(young.id)).projects == 1


async def test_pixels_of_no_observation_age_away(kept: Kept) -> None:
    await kept.blobs.put("gone/abc/chip.npz", b"old")
    await kept.blobs.put("gone/def/chip.npz", b"young")
    long_ago = time.time() - 2 * DAY_S
    os.utime(kept.folder / "pixels" / "gone" / "abc" / "chip.npz", (long_ago, long_ago))
    assert await kept.keeper.sweep() == {"projects": 0}
    assert kept.files() == {"gone/def/chip.npz"}


async def test_a_customers_projects_are_erased(kept: Kept) -> None:
    await kept.add("hangar-7", "震华家园")
    await kept.add("tower", '青衫"大厦"')
    await kept.add("stays")
    await RescanStore(kept.database, 1.0).start("rescan")
    order = ErasureOrder(reference="DSR-1", projects=("hangar-7",), texts=('青衫"大厦',))
    assert (await kept.keeper.erase(order, frozenset())).counts == {"projects": 2, "observations": 0}
    assert [each.id for each in await kept.projects.list(10)] == ["stays"]
    assert kept.files() == {"stays/abc/chip.npz"}
    assert sorted(each.name for each in (kept.folder / "pixels").iterdir()) == ["stays"]
    for planted in ("hangar-7", "tower", "震华", "青衫"):
        assert planted.encode() not in kept.traces()
