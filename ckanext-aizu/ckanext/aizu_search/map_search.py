"""Searching by map without ckanext-spatial: what CKAN hands over, in the words of the index.

`package_search(extras={"ext_bbox": "west,south,east,north"})` finds the datasets whose place
touches a box, `{"ext_near": "longitude,latitude"}` puts the nearest first. A dataset has its place
in `spatial`, as ckanext-spatial has it, or in the `spatial_coverage` of ckanext-dcat.
"""

import json
import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import ckan.plugins as p
import pysolr
from ckan.lib.search.common import SearchQueryError, make_connection

from .engine import PostgresIndex
from .geometry import parts

log = logging.getLogger(__name__)

FIELD = "spatial_geom"
_SPATIAL = ("spatial", "extras_spatial")
_OF_AREA = ("geom", "bbox", "centroid")


class MapSearch(p.IPackageController):
    """The part of a plugin that reads and finds places; with ckanext-spatial, that does it."""

    def before_dataset_index(self, pkg_dict: dict[str, Any]) -> dict[str, Any]:
        """Add the place of a dataset to its index document."""
        return with_place(pkg_dict) if _is_ours() else pkg_dict

    def before_dataset_search(self, search_params: dict[str, Any]) -> dict[str, Any]:
        """Understand `ext_bbox` and `ext_near`."""
        return asked(search_params) if _is_ours() else search_params


def _is_ours() -> bool:
    return not p.plugin_loaded("spatial_query") and isinstance(make_connection(), PostgresIndex)


def with_place(document: dict[str, Any]) -> dict[str, Any]:
    """An index document with the place of its dataset, if it says one."""
    places = [place for place in _written(document) if _is_place(place, document)]
    if FIELD in document or not places:
        return document
    # Coordinates are no words to be found.
    words = {name: value for name, value in document.items() if name not in _SPATIAL}
    return {**words, FIELD: places}


def _written(document: Mapping[str, Any]) -> Iterator[str]:
    """All that a dataset says of its place in GeoJSON or WKT, the most exact of each area."""
    if document.get("spatial"):
        yield _text(document["spatial"])
    for area in _areas(document.get("spatial_coverage")):
        yield from [_text(area[name]) for name in _OF_AREA if area.get(name)][:1]


def _areas(coverage: Any) -> list[Mapping[str, Any]]:
    """The areas of `spatial_coverage`, which ckanext-scheming may have made one text of."""
    if isinstance(coverage, str):
        try:
            coverage = json.loads(coverage)
        except ValueError:
            return []
    many = coverage if isinstance(coverage, list) else [coverage]
    return [one for one in many if isinstance(one, dict)]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _is_place(text: str, document: Mapping[str, Any]) -> bool:
    """Whether a place can be read; one that can not must not keep a dataset from being saved."""
    try:
        return bool(parts(text))
    except pysolr.SolrError as error:
        log.info("Dataset %s can not be found by its place: %s", document.get("name"), error)
        return False


def asked(parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a search with what its extras say of places."""
    extras = _extras(parameters.get("extras"))
    if extras.get("ext_bbox"):
        parameters = {
            **parameters,
            "fq_list": [*(parameters.get("fq_list") or []), _touching(extras["ext_bbox"])],
        }
    if extras.get("ext_near") and parameters.get("sort") in (None, "rank"):
        parameters = {**parameters, "sort": _nearest_first(extras["ext_near"])}
    return parameters


def _extras(given: Any) -> Mapping[str, Any]:
    """The extras; in an address they are JSON."""
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError as error:
            raise SearchQueryError(f"extras: expected JSON, and not {given[:100]!r}") from error
    return given if isinstance(given, dict) else {}


def _touching(given: Any) -> str:
    expected = "west,south,east,north in degrees, as 139.8,37.4,140.0,37.6"
    west, south, east, north = _numbers(given, 4, f"ext_bbox: expected {expected}")
    if south > north:
        raise SearchQueryError(f"ext_bbox: expected {expected}: {south} lies north of {north}")
    if east - west >= 360:
        west, east = -180.0, 180.0
    # Maps go on beyond the poles and around the earth.
    south, north = max(-90.0, south), min(90.0, north)
    box = f"{_turned(west)!r}, {_turned(east)!r}, {north!r}, {south!r}"
    return f'{FIELD}:"Intersects(ENVELOPE({box}))"'


def _nearest_first(given: Any) -> str:
    expected = "longitude,latitude in degrees, as 139.93,37.49"
    longitude, latitude = _numbers(given, 2, f"ext_near: expected {expected}")
    if abs(latitude) > 90:
        raise SearchQueryError(f"ext_near: expected {expected}: {latitude} is not a latitude")
    return f"geodist({FIELD},{latitude!r},{_turned(longitude)!r}) asc"


def _numbers(given: Any, count: int, expected: str) -> list[float]:
    many: Sequence[Any] = given.split(",") if isinstance(given, str) else given
    try:
        numbers = [float(one) for one in many]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        raise SearchQueryError(f"{expected}, and not {str(given)[:100]!r}")
    return numbers


def _turned(longitude: float) -> float:
    """The longitude between -180 and 180."""
    if -180 <= longitude <= 180:
        return longitude
    return (longitude + 180) % 360 - 180
