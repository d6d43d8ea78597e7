"""Change between two whole Sentinel-2 scenes, beside the floor: reading them.

Writes a pair of GeoTIFFs of the size of a tile (or `--side`), compares them window by window with the shipped model,
and prints pixels a second, peak memory, and the ratio to merely reading both files.

    python -m benchmarks.scenes --side 10980
"""

import argparse
import asyncio
import json
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import from_origin
from rasterio.windows import Window

from bankai.inference import open_backend
from bankai.settings import InferenceSettings
from services.progress_monitor.change.model import ChangeModel
from services.progress_monitor.change.scenes import compare_scenes

_BLOCK = 512


def write_scene(path: Path, side: int, seed: int) -> None:
    """A scene of six bands, compressed in blocks as COGs are."""
    rng = np.random.default_rng(seed)
    options = {"tiled": True, "blockxsize": _BLOCK, "blockysize": _BLOCK, "compress": "deflate", "predictor": 2}
    place = from_origin(500_000, 3_500_000, 10, 10)
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=side,
        height=side,
        count=6,
        dtype="uint16",
        crs=32650,
        transform=place,
        **options,
    ) as file:
        file.descriptions = ("B02", "B03", "B04", "B08", "B11", "B12")
        for top in range(0, side, _BLOCK):
            for left in range(0, side, _BLOCK):
                rows, columns = min(_BLOCK, side - top), min(_BLOCK, side - left)
                coarse = rng.uniform(300, 3500, (6, rows // 8 + 1, columns // 8 + 1))
                block = np.kron(coarse, np.ones((1, 8, 8)))[:, :rows, :columns] + rng.normal(0, 30, (6, rows, columns))
                file.write(block.astype(np.uint16), window=Window(left, top, columns, rows))


def read_scene(path: Path) -> None:
    """Reads every pixel, block by block."""
    with rasterio.open(path) as file:
        for _, window in file.block_windows(1):
            file.read(window=window)


async def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=10_980)
    side = parser.parse_args().side
    with tempfile.TemporaryDirectory() as folder, rasterio.Env(GDAL_CACHEMAX=64):
        files = [Path(folder) / name for name in ("before.tif", "after.tif")]
        for number, file in enumerate(files):
            write_scene(file, side, number)
        begun = time.perf_counter()
        for file in files:
            read_scene(file)
        reading = time.perf_counter() - begun
        backend = open_backend(InferenceSettings())
        try:
            begun = time.perf_counter()
            await compare_scenes(files[0], files[1], Path(folder) / "change.tif", ChangeModel(backend))
            seconds = time.perf_counter() - begun
        finally:
            await backend.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    result = {
        "megapixels": side * side / 1e6,
        "mpx_per_s": side * side / 1e6 / seconds,
        "seconds": seconds,
        "reading_s": reading,
        "ratio_to_reading": seconds / reading,
        "peak_mib": peak / 2**20,
    }
    print(json.dumps({name: round(value, 3) for name, value in result.items()}))


if __name__ == "__main__":
    asyncio.run(main())
