"""Of a large scene that lies elsewhere only the site's part is read, and it shows what the whole shows."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray

from bankai.errors import InvalidRequestError
from services.progress_monitor.aoi import Aoi
from services.progress_monitor.grid import detail_grid_of, grid_of
from services.progress_monitor.imagery.cutting import Chip
from services.progress_monitor.imagery.limits import ImageLimits
from services.progress_monitor.imagery.question import Layer, Question
from services.progress_monitor.imagery.reader import ImageReader
from services.progress_monitor.imagery.sensors import Sensor
from services.progress_monitor.sources.folder import LocalFile
from services.progress_monitor.sources.partial import Ranges, on_disk
from services.progress_monitor.sources.source import Stat
from tests.services.progress_monitor.conftest import countryside, numbers, write_tiff
from tests.services.progress_monitor.stac.catalogues import write_cog

pytestmark = pytest.mark.slow
SIDE = 2000


class Elsewhere:
    """A file that is not on this machine, and what was read of it."""

    path = None

    def __init__(self, path: Path) -> None:
        self._file, self.read_bytes = LocalFile(path), 0

    async def stat(self) -> Stat:
        return await self._file.stat()

    async def read(self, start: int, end: int, stat: Stat) -> bytes:
        self.read_bytes += end - start
        return await self._file.read(start, end, stat)


@pytest.fixture(scope="module")
def scene() -> NDArray[np.uint16]:
    small = numbers(countryside(5, SIDE // 4))
    grain = np.random.default_rng(0).integers(0, 50, (6, SIDE, SIDE), np.uint16)
    return np.asarray(np.kron(small, np.ones((1, 4, 4), np.uint16)) + grain, np.uint16)


async def cut(source: Elsewhere, aoi: Aoi, most: int = 1 << 30, sensor: Sensor = Sensor.SENTINEL2_L2A) -> Chip:
    reader = ImageReader(ImageLimits(), workers=1)

    def question(paths: Sequence[Path]) -> Question:
        grid = grid_of(aoi)
        return Question([Layer(path) for path in paths], grid, sensor, detail=detail_grid_of(aoi, grid))

    async def needed(paths: Sequence[Path]) -> Sequence[Ranges | None]:
        return await reader.extents(question(paths), timeout=60)

    try:
        async with on_disk([source], most, needed) as paths:
            return await reader.cut(question(paths), timeout=60)
    finally:
        await reader.close()


def cog(path: Path, scene: NDArray[np.uint16], aoi: Aoi, gsd: float = 10.0) -> Path:
    plain = write_tiff(path.with_suffix(".plain.tif"), scene[:, :10, :10], aoi, gsd)
    with rasterio.open(plain) as file:
        profile = dict(file.profile)
    centre = aoi.metric.centroid
    profile["transform"] = rasterio.transform.from_origin(
        centre.x - SIDE * gsd / 2, centre.y + SIDE * gsd / 2, gsd, gsd
    )
    write_cog(path, scene, profile, block=256)
    return path


@pytest.mark.parametrize("gsd", [2.5, 10.0])
async def test_a_cloud_optimised_scene_is_read_in_part(
    tmp_path: Path, aoi: Aoi, scene: NDArray[np.uint16], gsd: float
) -> None:
    path = cog(tmp_path / "scene.tif", scene, aoi, gsd)
    part, whole = Elsewhere(path), LocalFile(path)
    shown = await cut(part, aoi)
    reference = await cut(whole, aoi)  # type: ignore[arg-type]  # a file on this machine, read where it lies
    np.testing.assert_array_equal(shown.reflectance, reference.reflectance)
    assert shown.covered == 1.0
    size = (await asyncio.to_thread(path.stat)).st_size
    assert part.read_bytes < 0.35 * size


async def test_sub_metre_colour_is_read_in_part_with_its_detail(
    tmp_path: Path, aoi: Aoi, scene: NDArray[np.uint16]
) -> None:
    path = cog(tmp_path / "scene.tif", scene[:3] // 16, aoi, 0.9)
    part = Elsewhere(path)
    shown = await cut(part, aoi, sensor=Sensor.RGB)
    reference = await cut(LocalFile(path), aoi, sensor=Sensor.RGB)  # type: ignore[arg-type]
    assert shown.detail is not None
    assert reference.detail is not None
    np.testing.assert_array_equal(shown.detail, reference.detail)
    assert (shown.detail > 0).all()
    assert part.read_bytes < 0.8 * (await asyncio.to_thread(path.stat)).st_size


async def test_a_file_that_says_at_its_end_what_it_is_is_read_whole(
    tmp_path: Path, aoi: Aoi, scene: NDArray[np.uint16]
) -> None:
    path = write_tiff(tmp_path / "plain.tif", scene, aoi, compress="deflate")
    source = Elsewhere(path)
    shown = await cut(source, aoi)
    assert shown.covered == 1.0
    assert source.read_bytes <= (await asyncio.to_thread(path.stat)).st_size
    with pytest.raises(InvalidRequestError) as caught:
        await cut(source, aoi, most=1000)
    assert caught.value.reason == "IMAGE_TOO_LARGE"
