"""Writes simulated sites as folders of GeoTIFFs with a site.json, as `bankai eval progress` reads them."""

import argparse
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import from_origin
from rich.progress import track
from shapely.affinity import affine_transform
from shapely.geometry import mapping

from services.progress_monitor.projecting import projected
from training.progress.real_backgrounds import grounds
from training.progress.simulator.series import Series, Wish, draw_series

_EPSG = 32650
_CENTRE = (480_000.0, 3_460_000.0)
_NAMES = ("B02", "B03", "B04", "B08", "B11", "B12")
DAY_ZERO = datetime(2024, 1, 1, tzinfo=UTC)
"""Day zero of the simulator."""


def write_series(series: Series, folder: Path, planned_late: float = 0.0) -> None:
    """Writes a series.

    Args:
        series: The series.
        folder: Folder to make.
        planned_late: Days by which the plan is earlier than what happens.
    """
    folder.mkdir(parents=True, exist_ok=True)
    half = series.layout.extent / 2
    place = from_origin(_CENTRE[0] - half, _CENTRE[1] + half, series.sensor.gsd, series.sensor.gsd)
    images, truth = [], []
    for picture in series.pictures:
        date = (DAY_ZERO + timedelta(days=picture.day)).replace(microsecond=0)
        name = f"{date:%Y-%m-%d}.tif"
        if (folder / name).exists():
            continue
        numbers = np.clip(np.round(picture.reflectance * 10_000), 1, 65_000).astype(np.uint16)
        options = {"compress": "deflate", "predictor": 2, "zlevel": 9}
        count, height, width = numbers.shape
        with rasterio.open(
            folder / name,
            "w",
            driver="GTiff",
            count=count,
            height=height,
            width=width,
            dtype="uint16",
            crs=f"EPSG:{_EPSG}",
            transform=place,
            **options,
        ) as file:
            file.write(numbers)
            file.descriptions = _NAMES
        when = date.isoformat()
        images.append({"path": name, "date": when, "sensor": series.sensor.name})
        truth.append({"date": when, "stage": picture.stage.id, "progress": round(picture.progress, 4)})
    site = affine_transform(series.layout.site, [1, 0, 0, -1, *_CENTRE])
    content = {
        "aoi": mapping(projected(site, _EPSG, 4326)),
        "images": images,
        "plan": _plan(series, planned_late),
        "truth": truth,
    }
    (folder / "site.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def metres(east: NDArray[np.float64], north: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where places of the written files lie in a layout: (x to the right, y down), from its centre."""
    return east - _CENTRE[0], _CENTRE[1] - north


def _plan(series: Series, late: float) -> list[dict[str, object]] | None:
    schedule = series.schedule
    if not np.isfinite(schedule.start):
        return None
    planned = type(schedule)(schedule.start, schedule.days, schedule.works, schedule.paved_from)
    days = np.linspace(schedule.start, planned.finish, 13)
    return [
        {
            "date": f"{DAY_ZERO + timedelta(days=float(day) - late):%Y-%m-%d}",
            "progress": round(planned.progress(float(day)), 3),
        }
        for day in days
    ]


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--sites", type=int, default=40)
    parser.add_argument("--dates", type=int, default=24)
    parser.add_argument("--seed", type=int, default=9_000_000)
    arguments = parser.parse_args()
    ground = grounds(held_out=True)
    for number in track(range(arguments.sites), "sites"):
        rng = np.random.default_rng(arguments.seed + number)
        series = draw_series(rng, Wish(dates=arguments.dates), ground)
        write_series(series, arguments.out / f"site_{number:03d}")


if __name__ == "__main__":
    main()
