"""Geometries as feeds write them: GeoJSON, Esri JSON, WKT, pairs in a text, encoded polylines."""

import re
from collections.abc import Iterable
from typing import Any

from harvesters.positions.raw import Point

KEYS = {
    "geometry", "geography", "geom", "thegeom", "shape", "wkt", "point", "location", "position",
    "coordinate", "coordinates", "coords", "latlng", "latlon", "polyline", "encodedpolyline",
    "koordinaatit", "viivageometria", "sijainti", "座標", "位置", "緯度経度", "位置情報",
}  # fmt: skip
"""Folded names under which a place is looked for."""
GEOJSON = {"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2}
"""How deep the coordinates of each kind of geometry are nested."""
NUMBER = r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
PLAIN = re.compile(NUMBER)
WKT = re.compile(
    r"(?:SRID=\d+;)?\s*(?:MULTI)?(?:POINT|LINESTRING)\s*(?:Z|M|ZM)?\s*\((.*)\)", re.IGNORECASE
)
BARE = re.compile(rf"\(\s*({NUMBER})\s+({NUMBER})\s*\)")
PAIR = re.compile(rf"\(?\s*({NUMBER})\s*[,、]\s*({NUMBER})\s*\)?")


def points_of(key: str, value: Any) -> list[Point] | None:
    """The points of a geometry in their order; nothing where the value is none."""
    if isinstance(value, dict):
        return _of_mapping(value)
    if isinstance(value, list):
        return _of_list(value)
    if not isinstance(value, str) or not value:
        return None
    return _encoded(value) if key.endswith("polyline") else _of_text(value)


def _of_mapping(value: dict[str, Any]) -> list[Point] | None:
    if value.get("type") in GEOJSON and isinstance(value.get("coordinates"), list):
        return _flat(value["coordinates"], GEOJSON[value["type"]])
    if isinstance(value.get("paths"), list):
        return _flat(value["paths"], 2)
    if isinstance(value.get("points"), list):
        return _flat(value["points"], 1)
    if {"x", "y"} <= value.keys() <= {"x", "y", "z", "m", "spatialReference"}:
        pair = (value["x"], value["y"])
        return [pair] if all(_plain(half) for half in pair) else None
    return None


def _of_list(value: list[Any]) -> list[Point] | None:
    """A pair of numbers, a list of pairs, or a list of {x, y}."""
    if len(value) in {2, 3} and all(_plain(one) for one in value):
        return [(value[0], value[1])]
    if value and all(isinstance(one, dict) for one in value):
        found = [_of_mapping(one) for one in value]
        return [point for one in found if one for point in one] if all(found) else None
    if value and all(isinstance(one, list) and len(one) > 1 for one in value):
        return _flat(value, 1) if _plain(value[0][0]) else None
    return None


def _flat(coordinates: list[Any], depth: int) -> list[Point]:
    """A geometry without coordinates is one without points: no position is known."""
    if depth:
        return [point for one in coordinates for point in _flat(one, depth - 1)]
    return [(coordinates[0], coordinates[1])] if len(coordinates) > 1 else []


def _plain(value: Any) -> bool:
    """Numbers have been read as text, so that no digit is lost."""
    return isinstance(value, str) and bool(PLAIN.fullmatch(value))


def _of_text(text: str) -> list[Point] | None:
    """WKT and "(x y)" name east first; "37.5,139.9" is latitude first, as people write it."""
    if found := WKT.fullmatch(text.strip()):
        pairs = (one.strip(" ()").split() for one in found[1].split(","))
        return [(pair[0], pair[1]) for pair in pairs if len(pair) > 1]
    if found := BARE.fullmatch(text.strip()):
        return [(found[1], found[2])]
    if found := PAIR.fullmatch(text.strip()):
        return [(found[2], found[1])]
    return None


def _encoded(text: str) -> list[Point] | None:
    """Google's encoded polyline: differences of 1e-5 degrees, five bits a character."""
    try:
        numbers = list(_steps(text))
    except IndexError:
        return None
    if len(numbers) % 2:
        return None
    points, north, east = [], 0, 0
    for down, along in zip(numbers[::2], numbers[1::2], strict=True):
        north, east = north + down, east + along
        points.append((f"{east / 1e5:.5f}", f"{north / 1e5:.5f}"))
    return points


def _steps(text: str) -> Iterable[int]:
    place = 0
    while place < len(text):
        value, shift, piece = 0, 0, 0x20
        while piece >= 0x20:
            piece = ord(text[place]) - 63
            value |= (piece & 0x1F) << shift
            place, shift = place + 1, shift + 5
        yield ~(value >> 1) if value & 1 else value >> 1
