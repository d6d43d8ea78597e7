"""`bankai eval change`, `bankai eval progress` and `bankai progress compare`, with the shipped models."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from services.progress_monitor.aoi import parse_aoi
from tests.cli.conftest import Run
from tests.services.progress_monitor.conftest import SQUARE, countryside, numbers, write_tiff
from tests.services.progress_monitor.serving import SAMPLE

pytestmark = pytest.mark.slow


def pair(folder: Path) -> tuple[Path, Path]:
    """A pair in which a hall was built, its bands in two files by resolution, and the mask."""
    folder.mkdir(parents=True)
    ground = countryside(1, 200)
    built = ground.copy()
    built[:, 80:110, 90:130] = np.array((0.4, 0.43, 0.45, 0.48, 0.45, 0.4), np.float32)[:, None, None]
    aoi = parse_aoi(SQUARE)
    for name, scene in (("t1", ground), ("t2", built)):
        write_tiff(folder / f"{name}_10m.tif", numbers(scene[:4]), aoi)
        coarse = numbers(scene[4:, ::2, ::2])
        write_tiff(folder / f"{name}_20m.tif", coarse, aoi, gsd=20.0, names=("B11", "B12"))
    mask = np.zeros((200, 200), np.uint8)
    mask[80:110, 90:130] = 255
    cv2.imwrite(str(folder / "mask.png"), mask)
    return folder / "t1_10m.tif", folder / "t2_10m.tif"


def test_change(bankai: Run, tmp_path: Path) -> None:
    pair(tmp_path / "one")
    done = bankai("eval", "change", tmp_path)
    assert done.returncode == 0, done.stderr
    metrics = json.loads(done.stdout.splitlines()[-1])
    assert set(metrics) == {"n", "precision", "recall", "f1", "iou", "mean_shift_px", "mpx_per_s"}
    assert metrics["n"] == 1
    assert metrics["f1"] > 0.6
    assert metrics["mean_shift_px"] < 0.1


def test_progress(bankai: Run, tmp_path: Path) -> None:
    shutil.copytree(SAMPLE, tmp_path / "site")
    done = bankai("eval", "progress", tmp_path)
    assert done.returncode == 0, done.stderr
    metrics = json.loads(done.stdout.splitlines()[-1])
    assert metrics["n_dates"] == 24
    assert metrics["stage_acc"] > 0.6
    assert metrics["progress_mae"] < 0.15
    assert metrics["false_regressions"] == 0


def test_progress_on_a_mask_instead_of_a_polygon(bankai: Run, tmp_path: Path) -> None:
    before, after = pair(tmp_path / "pictures")
    mask = np.zeros((200, 200), np.uint8)
    mask[70:120, 80:140] = 255
    cv2.imwrite(str(tmp_path / "site.png"), mask)
    site = {
        "mask": "site.png",
        "images": [
            {"path": f"pictures/{before.name}", "date": "2025-01-01", "sensor": "S2"},
            {"path": f"pictures/{after.name}", "date": "2025-12-01", "sensor": "S2"},
        ],
        "plan": None,
        "truth": [{"date": "2025-01-01", "stage": "not_started", "progress": 0.0}],
    }
    (tmp_path / "site.json").write_text(json.dumps(site))
    done = bankai("eval", "progress", tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["stage_acc"] == 1.0


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "is not JSON"),
        ('{"images": []}', "is not as documented"),
        ('{"mask": "none.png", "images": [{"path": "x.tif", "date": "yesterday"}]}', "is not as documented"),
        (
            '{"mask": "none.png", "images": [], "truth": [{"date": "2025-01-01", "stage": "half"}]}',
            "is not as documented",
        ),
    ],
)
def test_sites_that_are_not_as_documented(bankai: Run, tmp_path: Path, content: str, told: str) -> None:
    (tmp_path / "site.json").write_text(content)
    done = bankai("eval", "progress", tmp_path)
    assert (done.returncode, told in done.stderr) == (2, True), done.stderr


def test_pairs_that_are_not_complete(bankai: Run, tmp_path: Path) -> None:
    before, _ = pair(tmp_path / "one")
    (tmp_path / "one" / "mask.png").unlink()
    assert "must hold t1*, t2* and mask.png" in bankai("eval", "change", tmp_path).stderr
    (tmp_path / "one" / "mask.png").write_bytes(b"x")
    assert bankai("eval", "change", tmp_path).returncode == 2
    before.write_bytes(before.read_bytes()[:2000])
    assert bankai("eval", "change", tmp_path).returncode == 2


def test_two_scenes(bankai: Run, tmp_path: Path) -> None:
    before, after = pair(tmp_path / "one")
    out = tmp_path / "change.tif"
    done = bankai("progress", "compare", before, after, "--out", out)
    assert done.returncode == 0, done.stderr
    assert "quality" in done.stdout
    assert out.stat().st_size > 100
