"""Searching by place: Solr's `Intersects(ENVELOPE(…))` as a condition, and the way to a point.

The index holds the outlines themselves and not only boxes around them, as PostgreSQL's own type
`polygon`: it compares them exactly, its index narrows the search to what lies near, and no
extension has to be installed. A ship route has no inside and a point no size; both are polygons
without area, which PostgreSQL compares as well.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from .geometry import Part, Ring, parts
from .query import unsupported
from .statement import Statement

# Solr's radius of the earth in kilometres.
_EARTH = 6371.0087714

TABLES = f"""
create table aizu_search.place (
    index_id text not null references aizu_search.dataset on delete cascade,
    field text not null,
    outline polygon not null,
    holes polygon[] not null
);
create index on aizu_search.place (index_id);
create index on aizu_search.place using gist (outline);
-- Kilometres from a point to the nearest point of a box. The nearest point lies on the same
-- longitude or else on one of the two sides, and there at an end or where the shortest way arrives.
create function aizu_search.kilometres(area box, latitude float8, longitude float8) returns float8
language plpgsql immutable strict parallel safe as $$
declare
    east float8 := longitude - (center(area))[0];
    gap float8 := radians(greatest(0, abs(east - 360 * round(east / 360)) - width(area) / 2));
    here float8 := radians(latitude);
    south float8 := radians((area[1])[1]);
    north float8 := radians((area[0])[1]);
    arrival float8;
begin
    if gap = 0 then
        return {_EARTH} * greatest(0, south - here, here - north);
    end if;
    arrival := least(north, greatest(south, atan2(sin(here), cos(here) * cos(gap))));
    return 2 * {_EARTH} * asin(least(1, sqrt(least(
        sin((here - south) / 2) ^ 2 + cos(here) * cos(south) * sin(gap / 2) ^ 2,
        sin((here - north) / 2) ^ 2 + cos(here) * cos(north) * sin(gap / 2) ^ 2,
        sin((here - arrival) / 2) ^ 2 + cos(here) * cos(arrival) * sin(gap / 2) ^ 2))));
end
$$;
"""

_RELATION = re.compile(
    r"\s*(?P<relation>\w+)\s*\((?P<shape>.*)\)(?:\s+distErr(?:Pct)?=\S+)*\s*", re.DOTALL
)


def rows(index_id: str, places: Mapping[str, Sequence[str]]) -> Iterator[dict[str, Any]]:
    """What the table of places holds of one dataset, from its fields with places."""
    for field, texts in places.items():
        for text in texts:
            for part in parts(text):
                yield {
                    "index_id": index_id,
                    "field": field,
                    "outline": _polygon(part.outline),
                    "holes": [_polygon(hole) for hole in part.holes],
                }


DELETE = "delete from aizu_search.place where index_id = any(%(ids)s)"
INSERT = (
    "insert into aizu_search.place (index_id, field, outline, holes) values"
    " (%(index_id)s, %(field)s, %(outline)s::polygon, %(holes)s::text[]::polygon[])"
)


def is_relation(text: str) -> bool:
    """Whether a text asks for a relation to a shape, whatever the field."""
    match = _RELATION.fullmatch(text)
    return bool(match and match["relation"].lower() in _RELATIONS and "(" in match["shape"])


def condition(made: Statement, field: str, text: str) -> str:
    """The condition under which a dataset's place has the relation to a shape that is asked for."""
    match = _RELATION.fullmatch(text)
    relation = match["relation"].lower() if match else ""
    if match is None or relation not in _RELATIONS:
        raise unsupported(f"'{text[:100]}' in the field of places {field}")
    shape = parts(match["shape"])
    if len(shape) != 1 or shape[0].holes:
        raise unsupported(f"search by a place of several parts or with holes: {text[:100]}")
    turns = [f"{made.parameter(_polygon(one.outline))}::polygon" for one in _turns(shape[0])]
    return _RELATIONS[relation](made.parameter(field), turns)


def _turns(shape: Part) -> Iterator[Part]:
    """A shape at all longitudes, once around and once more, that a part in the index may have."""
    for degrees in (-360, 0, 360):
        turn = shape.moved(degrees)
        if max(longitude for longitude, _ in turn.outline) >= -180:
            yield turn


def _polygon(ring: Ring) -> str:
    """A ring in the notation of PostgreSQL; a value, never SQL."""
    return f"({','.join(f'({longitude!r},{latitude!r})' for longitude, latitude in ring)})"


def _touches(field: str, shapes: Sequence[str]) -> str:
    return _any_part(field, "p.outline && {shape} and " + _NO_HOLE.format("@>"), shapes)


def _contains(field: str, shapes: Sequence[str]) -> str:
    return _any_part(field, "p.outline @> {shape} and " + _NO_HOLE.format("&&"), shapes)


# Asked only of the few places that have holes.
_NO_HOLE = (
    "(cardinality(p.holes) = 0"
    " or not exists (select from unnest(p.holes) hole where hole {} {{shape}}))"
)


def _is_within(field: str, shapes: Sequence[str]) -> str:
    inside = " or ".join(f"{shape} @> p.outline" for shape in shapes)
    return (
        "d.index_id in (select p.index_id from aizu_search.place p"
        f" where p.field = {field} group by p.index_id having bool_and({inside}))"
    )


def _any_part(field: str, test: str, shapes: Sequence[str]) -> str:
    tests = " or ".join(f"({test.format(shape=shape)})" for shape in shapes)
    return (
        "d.index_id in (select p.index_id from aizu_search.place p"
        f" where p.field = {field} and ({tests}))"
    )


_RELATIONS: dict[str, Callable[[str, Sequence[str]], str]] = {
    "intersects": _touches,
    "contains": _contains,
    "iswithin": _is_within,
}


def somewhere(made: Statement, field: str) -> str:
    """The condition under which a dataset has a place at all."""
    return _any_part(made.parameter(field), "true", [""])


def kilometres(made: Statement, field: str, latitude: str, longitude: str) -> str:
    """How far it is from a point to the box around the nearest part of a dataset's place."""
    return (
        f"(select min(aizu_search.kilometres(box(p.outline), {latitude}, {longitude}))"
        f" from aizu_search.place p where p.index_id = d.index_id"
        f" and p.field = {made.parameter(field)})"
    )
