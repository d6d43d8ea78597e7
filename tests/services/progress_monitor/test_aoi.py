import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bankai.errors import InvalidRequestError
from services.progress_monitor.aoi import parse_aoi
from services.progress_monitor.grid import grid_of
from tests.services.progress_monitor.conftest import SQUARE


def polygon(*ring: tuple[float, float], holes: tuple[tuple[tuple[float, float], ...], ...] = ()) -> str:
    rings = [[*each, each[0]] for each in (ring, *holes)]
    return json.dumps({"type": "Polygon", "coordinates": rings})


def test_area_is_measured_in_metres_and_holes_do_not_count() -> None:
    whole = parse_aoi(SQUARE)
    hole = ((114.101, 30.501), (114.104, 30.501), (114.104, 30.503), (114.101, 30.503))
    holed = parse_aoi(polygon((114.10, 30.50), (114.105, 30.50), (114.105, 30.504), (114.10, 30.504), holes=(hole,)))
    assert whole.area_m2 == pytest.approx(479.9 * 443.5, rel=0.01)
    assert holed.area_m2 == pytest.approx(whole.area_m2 * 0.7, rel=0.01)
    assert whole.epsg == 32650


@pytest.mark.parametrize("crs", ["EPSG:32650", "urn:ogc:def:crs:EPSG::32650"])
def test_any_crs(crs: str) -> None:
    metric = polygon((221_000, 3_378_000), (221_500, 3_378_000), (221_500, 3_378_400), (221_000, 3_378_400))
    assert parse_aoi(metric, crs).area_m2 == pytest.approx(200_000, rel=0.001)
    named = json.loads(metric) | {"crs": {"type": "name", "properties": {"name": crs}}}
    assert parse_aoi(json.dumps(named)).area_m2 == pytest.approx(200_000, rel=0.001)


def test_features_and_multipolygons_are_read() -> None:
    feature = {"type": "Feature", "properties": {}, "geometry": json.loads(SQUARE)}
    collection = {"type": "FeatureCollection", "features": [feature, feature]}
    assert parse_aoi(json.dumps(collection)).polygon.equals(parse_aoi(SQUARE).polygon)


@pytest.mark.parametrize(
    ("text", "crs", "reason"),
    [
        ("no json", "", "AOI_NOT_GEOJSON"),
        ("[1]", "", "AOI_NOT_GEOJSON"),
        ("[" * 100_000, "", "AOI_NOT_GEOJSON"),
        ('{"type":"Polygon","coordinates":"x"}', "", "AOI_NOT_GEOJSON"),
        ('{"type":"Point","coordinates":[114,30]}', "", "AOI_NOT_A_POLYGON"),
        ('{"type":"FeatureCollection","features":[]}', "", "AOI_NOT_A_POLYGON"),
        (polygon((114.0, 30.0), (114.01, 30.01), (114.01, 30.0), (114.0, 30.01)), "", "AOI_SELF_CROSSING"),
        (polygon((30.0, 114.0), (30.0, 114.01), (30.01, 114.01)), "", "AOI_AXES_SWAPPED"),
        (polygon((400_000, 3_000_000), (401_000, 3_000_000), (401_000, 3_001_000)), "", "AOI_OUT_OF_RANGE"),
        (polygon((114.0, 30.0), (114.00001, 30.0), (114.0, 30.00001)), "", "AOI_TOO_SMALL"),
        (polygon((114.0, 30.0), (115.0, 30.0), (115.0, 31.0)), "", "AOI_TOO_LARGE"),
        (SQUARE, "EPSG:999999", "CRS_UNKNOWN"),
        (SQUARE, "nonsense", "CRS_UNKNOWN"),
    ],
)
def test_bad_polygons_get_their_reason(text: str, crs: str, reason: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse_aoi(text, crs)
    assert caught.value.reason == reason


@given(
    st.text(max_size=200)
    | st.recursive(st.none() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)).map(
        json.dumps
    )
)
def test_any_text_is_refused_in_our_words(text: str) -> None:
    with pytest.raises(InvalidRequestError):
        parse_aoi(text)


@given(st.floats(-179, 178), st.floats(-80, 80))
def test_the_grid_holds_the_site_and_its_ring(longitude: float, latitude: float) -> None:
    corners = ((longitude, latitude), (longitude + 0.01, latitude), (longitude + 0.01, latitude + 0.004))
    aoi = parse_aoi(polygon(*corners))
    grid = grid_of(aoi)
    left, bottom, right, top = aoi.metric.bounds
    assert grid.left <= left - 300
    assert grid.top >= top + 300
    assert grid.left + grid.width * grid.gsd >= right + 300
    assert grid.top - grid.height * grid.gsd <= bottom - 300
    assert grid.width % 2 == grid.height % 2 == 0
    drawn = grid.mask(aoi.metric).sum() * grid.gsd**2
    assert abs(drawn - aoi.area_m2) <= aoi.metric.length * grid.gsd
