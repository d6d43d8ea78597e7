import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import MultiPolygon, box

from services.progress_monitor.imagery.sensors import BANDS, Calibration, Sensor
from services.progress_monitor.stac.items import Wanted, read_item
from services.progress_monitor.stac.scene import Scene, Skipped

WANTED = Wanted(MultiPolygon([box(10, 50, 11, 51)]), -math.inf, math.inf, None)
S2 = ("B02", "B03", "B04", "B08", "B11", "B12")
LANDSAT = (("OLI_B2", "blue"), ("OLI_B3", "green"), ("OLI_B4", "red"), ("OLI_B5", "nir08"), ("OLI_B6", "swir16"))


def item(assets: Any, collection: str = "sentinel-2-l2a", **properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "id": "one",
        "collection": collection,
        "geometry": {"type": "Point", "coordinates": [10.5, 50.5]},
        "properties": {"datetime": "2026-01-01T00:00:00Z"} | properties,
        "links": [],
        "assets": assets,
    }


def tiff(**fields: Any) -> dict[str, Any]:
    return {"href": "./a.tif", "type": "image/tiff; application=geotiff; profile=cloud-optimized"} | fields


def scene(document: dict[str, Any], wanted: Wanted = WANTED) -> Scene:
    found = read_item(document, "file:///cat/one.json", wanted)
    assert isinstance(found, Scene), found
    return found


def skipped(document: Any, wanted: Wanted = WANTED) -> str:
    found = read_item(document, "file:///cat/one.json", wanted)
    assert isinstance(found, Skipped)
    return found.reason


def keyed() -> dict[str, Any]:
    return {name: tiff(href=f"./{name}.tif") for name in S2}


def scaled(**light: float) -> dict[str, Any]:
    """One asset of six bands as STAC 1.0 describes them."""
    return {"data": tiff(**{"eo:bands": [{"name": name} for name in S2], "raster:bands": [light] * 6})}


def test_keys_name_bands_where_nothing_else_does() -> None:
    found = scene(item(keyed()))
    assert {file.bands[0]: file.uri for file in found.files} == {
        band: f"file:///cat/{name}.tif"
        for band, name in zip(("blue", "green", "red", "nir", "swir1", "swir2"), S2, strict=True)
    }
    assert found.offset is None


def test_an_item_of_a_large_public_catalogue() -> None:
    """Common names as keys, the same bands again as JPEG 2000, others beside them, and a picture drawn for people."""

    def band(key: str, common: str, **fields: Any) -> dict[str, Any]:
        named = {"eo:bands": [{"name": key, "common_name": common}], "raster:bands": [{"scale": 1e-4, "offset": -0.1}]}
        return {"href": f"./{key}.tif", "type": "image/tiff", "roles": ["data", "reflectance"]} | named | fields

    commons = ("coastal", "blue", "green", "red", "rededge", "nir", "nir08", "nir09", "swir16", "swir22")
    assets = {common: band(common, common) for common in commons}
    assets |= {f"{key}-jp2": each | {"type": "image/jp2"} for key, each in assets.items()}
    assets["visual"] = band("visual", "red", roles=["visual"])
    assets["scl"] = tiff(href="./scl.tif", roles=["data"])
    found = scene(item(assets, platform="sentinel-2b", constellation="sentinel-2"))
    assert {(file.uri, *file.bands) for file in found.files} == {
        (f"file:///cat/{key}.tif", name)
        for key, name in zip((*commons[1:4], "nir", "swir16", "swir22"), BANDS, strict=True)
    }


def test_bands_as_stac_1_1_has_them() -> None:
    bands = [{"name": name, "raster:scale": 1e-4, "raster:offset": -0.1} for name in ("B01", *S2)]
    (file,) = scene(item({"data": tiff(bands=bands)})).files
    assert file.bands == ("", "blue", "green", "red", "nir", "swir1", "swir2")
    assert set(file.calibrations) == {Calibration(1e-4, -0.1)}


@pytest.mark.parametrize(
    ("light", "properties", "offset"),
    [
        ({}, {}, 0.0),
        ({"offset": -0.1}, {}, -0.1),
        ({}, {"s2:processing_baseline": "05.11"}, -0.1),
        ({}, {"processing:version": "02.14"}, 0.0),
        ({}, {"s2:processing_baseline": "04.00", "earthsearch:boa_offset_applied": True}, 0.0),
        ({"offset": -0.1}, {"earthsearch:boa_offset_applied": True}, 0.0),
        ({"offset": -0.1}, {"earthsearch:boa_offset_applied": False}, -0.1),
    ],
)
def test_sentinel_2_numbers_become_light(light: dict[str, float], properties: dict[str, Any], offset: float) -> None:
    (file,) = scene(item(scaled(scale=1e-4, **light), **properties)).files
    assert set(file.calibrations) == {Calibration(1e-4, offset)}


def test_without_a_scale_the_baseline_says_what_is_dark() -> None:
    assert scene(item(keyed(), **{"s2:processing_baseline": "05.00"})).offset == -1000
    assert scene(item(keyed(), **{"s2:processing_baseline": "new"})).offset is None
    assert scene(item(keyed())).files[0].calibrations == ()


def test_landsat_and_its_own_near_infrared() -> None:
    assets = {
        common: tiff(**{"eo:bands": [{"name": name, "common_name": common}], "raster:bands": [{"scale": 2.75e-5}]})
        for name, common in LANDSAT
    }
    found = scene(item(assets, collection="landsat-c2-l2"))
    assert found.sensor is Sensor.LANDSAT_L2
    assert {file.bands for file in found.files} == {("blue",), ("green",), ("red",), ("nir",), ("swir1",)}


@pytest.mark.parametrize(
    ("collection", "properties", "sensor"),
    [
        ("sentinel-2-l2a", {}, Sensor.SENTINEL2_L2A),
        ("sentinel-2-l1c", {}, Sensor.SENTINEL2_L1C),
        ("mine", {"constellation": "sentinel-2", "s2:product_type": "S2MSI1C"}, Sensor.SENTINEL2_L1C),
        ("mine", {"platform": "Sentinel-2B", "processing:level": "L1"}, Sensor.SENTINEL2_L1C),
    ],
)
def test_sensors_are_told_apart(collection: str, properties: dict[str, Any], sensor: Sensor) -> None:
    assert scene(item(keyed(), collection, **properties)).sensor is sensor


def test_pictures_drawn_for_people_count_in_natural_colour_only() -> None:
    drawn = {"visual": tiff(bands=[{"eo:common_name": name} for name in ("red", "green", "blue")])}
    assert skipped(item(drawn)) == "ITEM_WITHOUT_BANDS"
    wanted = Wanted(WANTED.aoi, WANTED.start, WANTED.end, Sensor.RGB)
    assert scene(item(drawn), wanted).files[0].bands == ("red", "green", "blue")


def test_one_nameless_file_is_trusted() -> None:
    (file,) = scene(item({"image": tiff(), "old": {"href": "a.jp2", "type": "image/jp2"}})).files
    assert (file.bands, file.calibrations) == ((), ())


def test_an_interval_counts_by_its_middle() -> None:
    days: dict[str, Any] = {
        "datetime": None,
        "start_datetime": "2026-01-01T00:00:00Z",
        "end_datetime": "2026-01-03T00:00:00Z",
    }
    assert scene(item(keyed(), **days)).acquired == 1767312000.0


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (item(keyed(), datetime=None), "ITEM_INVALID"),
        (item(keyed(), collection="landsat-c2-l1"), "ITEM_SENSOR_UNKNOWN"),
        (item(scaled(scale=1e9)), "ITEM_INVALID"),
        (item(scaled(scale=math.nan)), "ITEM_INVALID"),
        (item({"data": tiff(bands=3)}), "ITEM_INVALID"),
        (item({"data": tiff(bands=["B02"])}), "ITEM_INVALID"),
        (item(keyed()) | {"id": "x" * 300}, "ITEM_INVALID"),
        (item(keyed()) | {"id": "\ud800"}, "ITEM_INVALID"),
        (item(keyed()) | {"geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, "a"]]]}}, "ITEM_INVALID"),
        ([], "ITEM_INVALID"),
        (None, "ITEM_INVALID"),
    ],
)
def test_items_that_are_skipped(document: Any, reason: str) -> None:
    assert skipped(document) == reason


_json = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_KEYS = sorted({*item({}), "properties"} - {"type", "stac_version"})


@given(
    st.dictionaries(st.sampled_from(_KEYS), _json, min_size=1),
    st.dictionaries(st.sampled_from(["eo:bands", "raster:bands", "bands", "href", "roles", "type"]), _json),
)
def test_whatever_an_item_holds_it_is_a_scene_or_skipped(changed: dict[str, Any], asset: dict[str, Any]) -> None:
    found = read_item(item({"data": tiff() | asset}) | changed, "file:///cat/one.json", WANTED)
    assert isinstance(found, Scene | Skipped)
    json.dumps(found.id).encode()
    found.id.encode()
