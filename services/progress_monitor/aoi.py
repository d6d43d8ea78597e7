"""Where a project is: a polygon, several, with holes, in any coordinate system."""

import json
import re
from dataclasses import dataclass
from typing import Any

import pyproj
import shapely
from pyproj.exceptions import CRSError
from shapely import MultiPolygon, Polygon
from shapely.geometry import mapping, shape

from bankai.requests import invalid
from services.progress_monitor.projecting import projected

_WGS84 = pyproj.CRS.from_epsg(4326)
_LARGEST_KM2 = 100.0
_SMALLEST_M2 = 100.0
_MOST_VERTICES = 20_000
_EPSG = re.compile(r"EPSG:{1,2}(\d{1,6})$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Aoi:
    """An area of interest.

    Attributes:
        polygon: In WGS 84, longitude before latitude.
        epsg: EPSG code of the UTM zone in which it is measured.
        metric: The polygon in that zone, in metres.
    """

    polygon: MultiPolygon
    epsg: int
    metric: MultiPolygon

    @property
    def area_m2(self) -> float:
        """Area without the holes."""
        return float(self.metric.area)

    def geojson(self) -> str:
        """The polygon as GeoJSON (RFC 7946)."""
        return json.dumps(mapping(self.polygon), separators=(",", ":"))


def parse_aoi(text: str, crs: str = "") -> Aoi:
    """Reads a GeoJSON geometry, feature or collection of features.

    Args:
        text: The GeoJSON: Polygon or MultiPolygon, holes allowed.
        crs: Coordinate system, e.g. "EPSG:32650" or WKT; empty for what the GeoJSON's own `crs` says, else WGS 84.

    Raises:
        InvalidRequestError: AOI_NOT_GEOJSON, AOI_NOT_A_POLYGON, AOI_SELF_CROSSING, AOI_AXES_SWAPPED,
            AOI_OUT_OF_RANGE, AOI_TOO_SMALL, AOI_TOO_LARGE or CRS_UNKNOWN.
    """
    document = _document(text)
    system = _system(crs or _named(document))
    polygon = _polygon(document)
    if system != _WGS84:
        polygon = _in_wgs84(polygon, system)
    _check_range(polygon)
    epsg = _utm(polygon.centroid.x, polygon.centroid.y)
    metric = projected(polygon, 4326, epsg)
    if metric.area < _SMALLEST_M2:
        raise invalid("AOI_TOO_SMALL", "aoi", f"covers {metric.area:.0f} m2; at least {_SMALLEST_M2:.0f} are needed")
    if metric.area > _LARGEST_KM2 * 1e6:
        raise invalid(
            "AOI_TOO_LARGE",
            "aoi",
            f"covers {metric.area / 1e6:.0f} km2, over {_LARGEST_KM2:.0f}: split the project",
        )
    return Aoi(polygon, epsg, metric)


def _document(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise invalid("AOI_NOT_GEOJSON", "aoi", "is not JSON: send a GeoJSON Polygon or MultiPolygon") from None
    if not isinstance(document, dict) or "type" not in document:
        raise invalid("AOI_NOT_GEOJSON", "aoi", 'has no "type": send a GeoJSON Polygon or MultiPolygon')
    return document


def _polygon(document: dict[str, Any]) -> MultiPolygon:
    geometries = _geometries(document)
    try:
        shapes = [shape(each) for each in geometries]
    except Exception:  # noqa: BLE001  # shapely raises whatever the coordinates provoke
        raise invalid("AOI_NOT_GEOJSON", "aoi", "has coordinates that are no rings of points") from None
    if not shapes or any(not isinstance(each, Polygon | MultiPolygon) or each.is_empty for each in shapes):
        raise invalid("AOI_NOT_A_POLYGON", "aoi", "must be polygons with at least three corners, not points or lines")
    if sum(shapely.get_num_coordinates(each) for each in shapes) > _MOST_VERTICES:
        raise invalid("AOI_TOO_LARGE", "aoi", f"has more than {_MOST_VERTICES} corners: simplify it")
    shapes = [shapely.force_2d(each) for each in shapes]
    for each in shapes:
        if not shapely.is_valid(each):
            raise invalid("AOI_SELF_CROSSING", "aoi", f"is not a simple polygon ({shapely.is_valid_reason(each)})")
    joined = shapely.union_all(shapes)
    return MultiPolygon([part for part in shapely.get_parts(joined) if isinstance(part, Polygon)])


def _geometries(document: dict[str, Any]) -> list[dict[str, Any]]:
    match document.get("type"):
        case "FeatureCollection":
            features = document.get("features")
            return [each.get("geometry") or {} for each in features] if isinstance(features, list) else []
        case "Feature":
            return [document.get("geometry") or {}]
        case _:
            return [document]


def _named(document: dict[str, Any]) -> str:
    """The coordinate system that GeoJSON of before RFC 7946 names."""
    try:
        name = str(document["crs"]["properties"]["name"])
    except (KeyError, TypeError):
        return ""
    return "OGC:CRS84" if name.upper().endswith("CRS84") else name


def _system(name: str) -> pyproj.CRS:
    if not name or name == "OGC:CRS84":
        return _WGS84
    code = _EPSG.search(name)
    try:
        return pyproj.CRS.from_epsg(int(code[1])) if code else pyproj.CRS.from_user_input(name)
    except CRSError:
        raise invalid("CRS_UNKNOWN", "crs", "is not known: name it as EPSG:32650, for example, or as WKT") from None


def _in_wgs84(polygon: MultiPolygon, system: pyproj.CRS) -> MultiPolygon:
    moved = projected(polygon, system, _WGS84)
    bounds = moved.bounds
    if not all(abs(value) < 1e6 for value in bounds):
        raise invalid("AOI_OUT_OF_RANGE", "aoi", "lies outside the area in which its coordinate system is defined")
    return moved


def _check_range(polygon: MultiPolygon) -> None:
    west, south, east, north = polygon.bounds
    if west >= -180 and east <= 180 and south >= -84 and north <= 84:
        return
    if west >= -84 and east <= 84 and south >= -180 and north <= 180:
        raise invalid("AOI_AXES_SWAPPED", "aoi", "has latitude before longitude: GeoJSON wants [longitude, latitude]")
    raise invalid(
        "AOI_OUT_OF_RANGE", "aoi", "is not in degrees of longitude and latitude between 84 S and 84 N: name its crs"
    )


def _utm(longitude: float, latitude: float) -> int:
    zone = min(60, int((longitude + 180) // 6) + 1)
    return (32600 if latitude >= 0 else 32700) + zone
