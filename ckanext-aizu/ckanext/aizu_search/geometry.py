"""Places as they are written, in GeoJSON or WKT, become outlines that may run over the date line."""

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from tokenize import TokenError
from typing import Any

import pysolr
from geomet import InvalidGeoJSONException, wkt

Position = tuple[float, float]
Ring = tuple[Position, ...]

_ENVELOPE = re.compile(r"\s*ENVELOPE\s*\(([^()]*)\)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """A place in one piece: a polygon and its holes, or a line or point as a flat polygon.

    The westernmost longitude lies between -180 and 180; what crosses the date line goes on
    beyond 180.
    """

    outline: Ring
    holes: tuple[Ring, ...] = ()

    def moved(self, degrees: float) -> "Part":
        """The same farther east or, once around the earth, at the same place."""
        holes = tuple(_moved(hole, degrees) for hole in self.holes)
        return Part(_moved(self.outline, degrees), holes)


def is_geojson(text: str) -> bool:
    """Whether a text is a place in GeoJSON, or JSON with such places inside."""
    return text.lstrip().startswith(("{", "[")) and "coordinates" in text


def parts(text: str) -> list[Part]:
    """Read WKT, Solr's ENVELOPE or GeoJSON; a place of no extent at all, as POINT EMPTY, is []."""
    try:
        if text.lstrip().startswith("{"):
            return list(_parts(json.loads(text)))
        if envelope := _ENVELOPE.fullmatch(text):
            west, east, north, south = (float(number) for number in envelope[1].split(","))
            return [box(west, south, east, north)]
        return list(_parts(wkt.loads(" ".join(text.upper().split()))))
    except _NONSENSE as error:
        reason = error or "it ends too early"
        raise pysolr.SolrError(
            f"Not a place in WKT or GeoJSON: {text[:100]!r}: {reason}"
        ) from error


# What geomet and the reading of coordinates raise over one or another kind of nonsense.
_NONSENSE = (
    ValueError,
    TypeError,
    LookupError,
    StopIteration,
    SyntaxError,
    TokenError,
    RecursionError,
    InvalidGeoJSONException,
)


def box(west: float, south: float, east: float, north: float) -> Part:
    """A box; over the date line if it begins east of where it ends."""
    if south > north:
        raise ValueError(f"the south, {south}, lies north of the north, {north}")
    (west, south), (east, north) = _position((west, south)), _position((east, north))
    east = east if west <= east else east + 360
    if east - west >= 360:
        # All around: any other place has to fit into it, also one over the date line.
        west, east = -180, 540
    return _placed(((west, south), (east, south), (east, north), (west, north)))


def _parts(geometry: Any) -> Iterator[Part]:
    match geometry:
        case {"type": "FeatureCollection", "features": list(features)}:
            for feature in features:
                yield from _parts(feature)
        case {"type": "Feature", "geometry": inner}:
            yield from _parts(inner)
        case {"type": "GeometryCollection", "geometries": list(geometries)}:
            for one in geometries:
                yield from _parts(one)
        case {"type": "Point" | "LineString" | "Polygon" as kind, "coordinates": list(one)}:
            yield from [_SHAPES[kind](one)] if one else []
        case {"type": str(kind), "coordinates": list(many)} if kind in _MANY:
            yield from (_MANY[kind](one) for one in many)
        case _:
            raise ValueError("no geometry with coordinates")


def _point(coordinates: Sequence[Any]) -> Part:
    return _placed((_position(coordinates),))


def _line(coordinates: Sequence[Any]) -> Part:
    there = _connected([_position(one) for one in coordinates])
    # PostgreSQL closes every polygon: back along the same way, so that it encloses nothing.
    return _placed((*there, *there[-2:0:-1]))


def _polygon(coordinates: Sequence[Any]) -> Part:
    outline, *holes = [_ring(ring) for ring in coordinates]
    if _is_plain_box(outline):
        (west, south), (east, north) = min(outline), max(outline)
        outline = box(west, south, east, north).outline
    else:
        outline = _connected(outline)
    return _placed(outline, tuple(_connected(hole) for hole in holes))


_SHAPES = {"Point": _point, "LineString": _line, "Polygon": _polygon}
_MANY = {f"Multi{name}": read for name, read in _SHAPES.items()}


def _position(coordinates: Sequence[Any]) -> Position:
    longitude, latitude = (float(number) for number in coordinates[:2])
    if not (math.isfinite(longitude) and abs(longitude) <= 360):
        raise ValueError(f"{longitude} is not a longitude")
    if not abs(latitude) <= 90:
        raise ValueError(f"{latitude} is not a latitude; the longitude comes first")
    return longitude, latitude


def _ring(coordinates: Sequence[Any]) -> Ring:
    ring = tuple(_position(one) for one in coordinates)
    if len(ring) > 1 and ring[0] == ring[-1]:
        ring = ring[:-1]
    if not ring:
        raise ValueError("a ring without positions")
    return ring


def _is_plain_box(ring: Ring) -> bool:
    """Whether a ring is a box that runs counter-clockwise, as GeoJSON wants it.

    Such a box may be wider than 180°. Any other ring with an edge that long is taken to cross the
    date line.
    """
    edges = list(zip(ring, (*ring[1:], ring[0]), strict=True))
    straight = all(a[0] == b[0] or a[1] == b[1] for a, b in edges)
    return len(ring) == 4 and straight and sum(a[0] * b[1] - b[0] * a[1] for a, b in edges) > 0


def _connected(positions: Sequence[Position]) -> Ring:
    """The positions with longitudes that run on: a step of more than 180° goes the other way."""
    connected = list(positions[:1])
    turned = 0
    for (before, _), (longitude, latitude) in pairwise(positions):
        step = longitude - before
        # A step once around is the edge of a map of the whole world.
        turned -= 0 if abs(step) == 360 else 360 * round(step / 360)
        connected.append((longitude + turned, latitude))
    return tuple(connected)


def _placed(outline: Ring, holes: tuple[Ring, ...] = ()) -> Part:
    """A part with its westernmost longitude between -180 and 180."""
    west = min(longitude for longitude, _ in outline)
    turns = 0 if west == 180 else math.floor((west + 180) / 360)
    part = Part(outline).moved(-360 * turns)
    return Part(part.outline, tuple(_beside(hole, part.outline) for hole in holes))


def _beside(hole: Ring, outline: Ring) -> Ring:
    """A hole at the turn of its outline."""
    west = min(longitude for longitude, _ in outline)
    return _moved(hole, 360 * math.ceil((west - min(x for x, _ in hole)) / 360))


def _moved(ring: Ring, degrees: float) -> Ring:
    return tuple((longitude + degrees, latitude) for longitude, latitude in ring)
