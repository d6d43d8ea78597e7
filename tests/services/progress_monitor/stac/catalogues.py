"""Small STAC catalogues of the sample site, written by the tests."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.shutil import copy as copy_raster
from shapely import box
from shapely.geometry import mapping

from services.progress_monitor.aoi import parse_aoi
from tests.services.progress_monitor.serving import sample

NAMES = ("B02", "B03", "B04", "B08", "B11", "B12")
COMMON = ("blue", "green", "red", "nir", "swir16", "swir22")


def footprint(east: float = 0.0) -> dict[str, Any]:
    """The sample site's surroundings, moved by degrees."""
    west, south, right, north = parse_aoi(sample().aoi).polygon.buffer(0.01).bounds
    return dict(mapping(box(west + east, south, right + east, north)))


def item(item_id: str, number: int, assets: Mapping[str, Any], **changed: Any) -> dict[str, Any]:
    """An item for one of the sample's pictures."""
    when = datetime.fromtimestamp(sample().pictures[number].time, UTC).isoformat()
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": item_id,
        "collection": "sentinel-2-l2a",
        "geometry": footprint(),
        "properties": {"datetime": when, "platform": "sentinel-2a"},
        "links": [],
        "assets": assets,
    } | changed


def whole(href: str) -> dict[str, Any]:
    """One asset of all bands."""
    bands = [{"name": name, "common_name": common} for name, common in zip(NAMES, COMMON, strict=True)]
    return {"data": {"href": href, "type": "image/tiff; application=geotiff", "roles": ["data"], "eo:bands": bands}}


def single(folder: Path, number: int, hrefs: str = "./", raise_by: int = 0) -> dict[str, Any]:
    """One cloud-optimised asset for each band, written beside the item, and a picture drawn for people."""
    folder.mkdir(parents=True, exist_ok=True)
    with rasterio.open(sample().pictures[number].path) as file:
        pixels, profile = file.read(), file.profile
    for name, layer in zip(NAMES, pixels, strict=True):
        raised = np.where(layer > 0, layer + raise_by, 0).astype(layer.dtype)
        write_cog(folder / f"{name}.tif", raised[np.newaxis], profile)
    assets: dict[str, Any] = {
        name: {"href": f"{hrefs}{name}.tif", "type": "image/tiff", "eo:bands": [{"name": name}]} for name in NAMES
    }
    drawn = {"href": f"{hrefs}none.tif", "eo:bands": [{"name": name} for name in ("B04", "B03", "B02")]}
    return assets | {"visual": drawn, "thumbnail": {"href": f"{hrefs}t.jpg", "roles": ["thumbnail"]}}


def write_cog(path: Path, pixels: Any, profile: Mapping[str, Any], block: int = 128) -> None:
    """A cloud-optimised GeoTIFF."""
    count, rows, columns = pixels.shape
    kept = {name: profile[name] for name in ("crs", "transform", "dtype", "nodata") if profile.get(name) is not None}
    with rasterio.MemoryFile() as memory:
        with memory.open(driver="GTiff", count=count, height=rows, width=columns, **kept) as file:
            file.write(pixels)
        with memory.open() as file:
            copy_raster(file, path, driver="COG", blocksize=block, compress="deflate", overviews="none")


def write_catalogue(folder: Path, items: Sequence[Mapping[str, Any]], links: Sequence[Mapping[str, str]] = ()) -> Path:
    """A catalogue with one child that holds the items, each in a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    child = folder / "child"
    child.mkdir(exist_ok=True)
    rows = []
    for number, each in enumerate(items):
        (child / str(number)).mkdir(exist_ok=True)
        (child / str(number) / "item.json").write_text(json.dumps(each))
        rows.append({"rel": "item", "href": f"./{number}/item.json"})
    up = [{"rel": "root", "href": "../catalog.json"}, {"rel": "parent", "href": "../catalog.json"}]
    (child / "catalog.json").write_text(json.dumps(catalog([*up, *rows])))
    root = folder / "catalog.json"
    root.write_text(json.dumps(catalog([{"rel": "child", "href": "./child/catalog.json"}, *links])))
    return root


def catalog(links: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    return {"type": "Catalog", "stac_version": "1.0.0", "id": "c", "description": "", "links": list(links)}
