"""Searching by place inside CKAN, in the very words in which ckanext-spatial asks for it."""

import json
import math
import random

import pytest
from ckan.lib import search
from ckan.lib.search.common import make_connection
from shapely import affinity
from shapely.geometry import MultiPolygon, Polygon, box

pytestmark = pytest.mark.usefixtures("with_plugins", "clean_db", "clean_index")

OVERLAP = (
    "div(mul(mul(max(0,sub(min({e},maxx),max({w},minx))),max(0,sub(min({n},maxy),max({s},miny)))),2)"
    ",add({area},mul(sub(maxy,miny),sub(maxx,minx))))"
)


def document(number, **values):
    return {
        "index_id": f"i{number}",
        "id": f"id{number}",
        "name": f"n{number}",
        "site_id": search.config["ckan.site_id"],
        "entity_type": "package",
        "state": "active",
        **values,
    }


def found(query="*:*", **options):
    """What the index itself answers, in its order."""
    docs = make_connection().search(query, rows=1000, fl="name", **options).docs
    return [one["name"] for one in docs]


def indexed(places, field="spatial_geom"):
    """Documents n0, n1, … with a place each."""
    documents = [document(n, **{field: place}) for n, place in enumerate(places)]
    make_connection().add(documents)


def random_box(chance):
    """A box on a coarse grid, so that boxes often share edges; some are points and lines."""
    west, south = chance.randint(-18, 17) * 10, chance.randint(-9, 8) * 10
    east, north = west + chance.randint(0, 9) * 10, min(90, south + chance.randint(0, 5) * 10)
    return west, south, east, north


def envelope(west, south, east, north):
    return f"ENVELOPE({west}, {east if east <= 180 else east - 360}, {north}, {south})"


def overlap(one, other):
    turns = range(-360, 361, 360)
    return (
        one[1] <= other[3]
        and other[1] <= one[3]
        and any(one[0] <= other[2] + turn and other[0] + turn <= one[2] for turn in turns)
    )


def contains(outer, inner):
    turns = range(-360, 361, 360)
    return (
        outer[1] <= inner[1]
        and inner[3] <= outer[3]
        and any(outer[0] <= inner[0] + turn and inner[2] + turn <= outer[2] for turn in turns)
    )


def test_boxes_are_compared_as_plain_python_does():
    """Random boxes, over the date line and in several pieces, against random boxes and points."""
    chance = random.Random(3)
    places = [[random_box(chance) for _ in range(chance.choice([1, 1, 2]))] for _ in range(150)]
    indexed([[envelope(*one) for one in boxes] for boxes in places])
    relations = {
        "Intersects": lambda boxes, asked: any(overlap(one, asked) for one in boxes),
        "Contains": lambda boxes, asked: any(contains(one, asked) for one in boxes),
        "IsWithin": lambda boxes, asked: all(contains(asked, one) for one in boxes),
    }
    for _ in range(60):
        asked = random_box(chance)
        for relation, holds in relations.items():
            expected = {f"n{n}" for n, boxes in enumerate(places) if holds(boxes, asked)}
            query = f"{{!field f=spatial_geom}}{relation}({envelope(*asked)})"
            assert set(found(fq=query)) == expected, (relation, asked)


def random_shape(chance):
    """A star, sometimes with a hole, sometimes of two pieces, anywhere on earth."""
    longitude, latitude = chance.uniform(-180, 180), chance.uniform(-70, 70)
    angles = sorted(chance.uniform(0, 2 * math.pi) for _ in range(chance.randint(4, 12)))
    rays = [(a, chance.uniform(2, 15)) for a in angles]
    star = Polygon([(longitude + r * math.cos(a), latitude + r * math.sin(a)) for a, r in rays])
    star = star.buffer(0)
    if chance.random() < 0.5:
        star = star.difference(star.representative_point().buffer(1, quad_segs=2))
    return star


def test_shapes_are_compared_exactly():
    """The outline itself is asked, not the box around it: as shapely has it."""
    chance = random.Random(4)
    shapes = [random_shape(chance) for _ in range(80)]
    indexed([[wrapped(part) for part in pieces(one)] for one in shapes])
    for _ in range(60):
        west, south = chance.uniform(-180, 180), chance.uniform(-80, 70)
        asked = (west, south, west + chance.uniform(0, 30), south + chance.uniform(0, 10))
        turns = [affinity.translate(box(*asked), turn) for turn in (-360, 0, 360)]
        expected = {
            f"n{n}" for n, one in enumerate(shapes) if any(one.intersects(turn) for turn in turns)
        }
        query = f"{{!field f=spatial_geom}}Intersects({envelope(*asked)})"
        assert set(found(fq=query)) == expected


def pieces(one):
    return one.geoms if isinstance(one, MultiPolygon) else [one]


def wrapped(polygon):
    """With all longitudes between -180 and 180, as WKT or GeoJSON."""
    if polygon.bounds[0] >= -180 and polygon.bounds[2] <= 180:
        return polygon.wkt
    rings = [polygon.exterior, *polygon.interiors]
    around = [[[(x + 180) % 360 - 180, y] for x, y in ring.coords] for ring in rings]
    return json.dumps({"type": "Polygon", "coordinates": around})


def great_circle(one, other):
    (x, y), (u, v) = (map(math.radians, point) for point in (one, other))
    half = math.sin((v - y) / 2) ** 2 + math.cos(y) * math.cos(v) * math.sin((u - x) / 2) ** 2
    return 2 * 6371.0087714 * math.asin(min(1, math.sqrt(half)))


def nearest(point, west, south, east, north):
    """Kilometres to a box, by trying many points on its edge."""
    if contains((west, south, east, north), (*point, *point)):
        return 0
    steps = [n / 400 for n in range(401)]
    ring = [(west + (east - west) * s, y) for s in steps for y in (south, north)]
    ring += [(x, south + (north - south) * s) for s in steps for x in (west, east)]
    return min(great_circle(point, corner) for corner in ring)


def test_distance_is_the_shortest_way_over_the_earth():
    """To the nearest point of the box, on the shorter way around, 0 inside; no place comes last."""
    chance = random.Random(5)
    boxes = [random_box(chance) for _ in range(30)]
    indexed([envelope(*one) for one in boxes])
    make_connection().add([document(99)])
    for _ in range(20):
        point = chance.uniform(-180, 180), chance.uniform(-90, 90)
        distances = {f"n{n}": nearest(point, *one) for n, one in enumerate(boxes)}
        order = found(sort=f"geodist(spatial_geom,{point[1]!r},{point[0]!r}) asc, name asc")
        assert order[-1] == "n99"
        ordered = [distances[name] for name in order[:-1]]
        assert all(a <= b + 1 for a, b in zip(ordered, ordered[1:], strict=False)), point
        near = f"{{!frange u=3000}}geodist(spatial_geom,{point[1]!r},{point[0]!r})"
        surely = {name for name, distance in distances.items() if distance < 2999}
        maybe = {name for name, distance in distances.items() if distance < 3001}
        assert surely <= set(found(fq=near)) <= maybe


def test_a_new_place_takes_the_place_of_the_old_one():
    """A dataset that moves is not found where it was; a deleted one nowhere."""
    everywhere = "spatial_geom:*"
    indexed(["POINT(139.9 37.5)", ["POINT(1 1)", "POINT(2 2)"]])
    assert sorted(found(everywhere)) == ["n0", "n1"]
    make_connection().add([document(0, spatial_geom="POINT(5 5)"), document(1)])
    assert found(everywhere) == ["n0"]
    assert found('spatial_geom:"Intersects(ENVELOPE(139, 140, 38, 37))"') == []
    assert found('spatial_geom:"Intersects(POINT(5 5))" OR name:n1') in (["n0", "n1"], ["n1", "n0"])
    assert found('-spatial_geom:"Intersects(POINT(5 5))"') == ["n1"]
    make_connection().delete(q="name:n0")
    assert found(everywhere) == []


def spatial_bbox_search(west, south, east, north):
    """What ckanext-spatial 2.3 sends with its search_backend solr-bbox."""
    function = OVERLAP.format(
        w=west, s=south, e=east, n=north, area=(east - west) * (north - south)
    )
    fq = "{!frange incl=false l=0 u=1}" + function
    return found(fq=fq, bf=function, defType="edismax", sort="score desc, name asc")


def test_boxes_of_ckanext_spatial():
    """The function it sends filters and orders by overlap, point and missing box left out."""
    quarters = [(0, 1, 1, 2), (1, 1, 2, 2), (0, 0, 1, 1), (1, 0, 2, 1)]
    names = ("minx", "miny", "maxx", "maxy")
    documents = [document(n, **dict(zip(names, q, strict=True))) for n, q in enumerate(quarters)]
    point = document(4, **dict(zip(names, (1.5, 1.5, 1.5, 1.5), strict=True)))
    make_connection().add([*documents, point, document(5)])
    assert spatial_bbox_search(0.75, 0.75, 1.75, 1.75) == ["n1", "n0", "n3", "n2"]
    assert spatial_bbox_search(0.75, 0.75, 0.8, 0.8) == ["n2"]
    assert found("minx:[0.5 TO *] AND maxy:2.0 AND -name:n5", sort="minx asc") == ["n1"]
    assert found("minx:*", sort="minx desc, maxy asc") == ["n4", "n3", "n1", "n2", "n0"]


def test_a_place_that_is_none_can_not_be_indexed():
    """The engine itself refuses nonsense, as Solr does, and keeps what it had."""
    indexed(["POINT(1 2)"])
    with pytest.raises(Exception, match="139.0 is not a latitude"):
        indexed(["POINT(37 139)"])
    with pytest.raises(Exception, match="Error adding field 'minx'='west'"):
        make_connection().add([document(1, minx="west")])
    assert found() == ["n0"]
