from pathlib import Path

import numpy as np
import pytest
import rasterio

from bankai.errors import InvalidRequestError
from bankai.inference import open_backend
from bankai.settings import InferenceSettings
from services.progress_monitor.alignment.registration import Registration
from services.progress_monitor.aoi import Aoi
from services.progress_monitor.change import scenes
from services.progress_monitor.change.model import ChangeModel
from services.progress_monitor.change.scenes import compare_scenes
from tests.services.progress_monitor.conftest import countryside, numbers, write_tiff


async def test_windows_give_what_the_whole_gives(tmp_path: Path, aoi: Aoi, monkeypatch: pytest.MonkeyPatch) -> None:
    ground = countryside(1, 320)
    built = ground.copy()
    built[:, 100:140, 150:200] = np.array((0.4, 0.43, 0.45, 0.48, 0.45, 0.4), np.float32)[:, None, None]
    before = write_tiff(tmp_path / "before.tif", numbers(ground), aoi)
    after = write_tiff(tmp_path / "after.tif", numbers(built), aoi)
    backend = open_backend(InferenceSettings())
    found = {}
    try:
        for side in (64, 1024):
            monkeypatch.setattr(scenes, "_SIDE", side)
            registration = await compare_scenes(before, after, tmp_path / "change.tif", ChangeModel(backend))
            assert registration.shift < 0.1
            with rasterio.open(tmp_path / "change.tif") as file:
                found[side] = file.read(1).astype(int)
    finally:
        await backend.close()
    assert found[1024][105:135, 155:195].mean() > 60
    assert found[1024][220:300].mean() < 5
    assert np.abs(found[64] - found[1024]).mean() < 1.5


async def test_scenes_of_two_sizes_are_refused(tmp_path: Path, aoi: Aoi) -> None:
    before = write_tiff(tmp_path / "before.tif", numbers(countryside(1)), aoi)
    after = write_tiff(tmp_path / "after.tif", numbers(countryside(1, 80)), aoi)
    backend = open_backend(InferenceSettings())
    try:
        with pytest.raises(InvalidRequestError):
            await compare_scenes(before, after, tmp_path / "change.tif", ChangeModel(backend))
    finally:
        await backend.close()


def test_a_turn_is_a_shift_away_from_the_centre() -> None:
    turned = Registration(1.0, 2.0, 0.5, 0.9)
    away = turned.at(100.0, 0.0)
    assert away.dx == pytest.approx(1.0, abs=0.01)
    assert away.dy == pytest.approx(2.0 - 100 * np.sin(np.deg2rad(0.5)))
    assert turned.at(0.0, 0.0) == turned
