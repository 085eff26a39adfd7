"""Places and functions of numbers: how they are read, and that nothing typed gets into SQL."""

import json

import pysolr
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Polygon, box, shape

from ckanext.aizu_search import functions
from ckanext.aizu_search.functions import Call, FunctionRange, Weighted
from ckanext.aizu_search.geometry import Part, parts
from ckanext.aizu_search.local_params import parse_any
from ckanext.aizu_search.request import read
from ckanext.aizu_search.spatial import rows

AIZU = ((139.8, 37.4), (140.0, 37.4), (140.0, 37.6), (139.8, 37.6))
BERING = ((170, 60), (190, 60), (190, 70), (170, 70))
OVERLAP = (
    "div(mul(mul(max(0,sub(min(1.75,maxx),max(0.75,minx))),"
    "max(0,sub(min(1.75,maxy),max(0.75,miny)))),2),add(1.0,mul(sub(maxy,miny),sub(maxx,minx))))"
)


def polygon(*rings):
    return json.dumps({"type": "Polygon", "coordinates": [[*ring, ring[0]] for ring in rings]})


@pytest.mark.parametrize(
    ("text", "outline"),
    [
        ("POINT (139.9 37.5)", ((139.9, 37.5),)),
        ("point(139.9\n37.5)", ((139.9, 37.5),)),
        ("POINT(139.9 37.5 210)", ((139.9, 37.5),)),
        ("ENVELOPE(139.8, 140.0, 37.6, 37.4)", AIZU),
        ("POLYGON ((139.8 37.4, 140 37.4, 140 37.6, 139.8 37.6, 139.8 37.4))", AIZU),
        (polygon(AIZU), AIZU),
        ("LINESTRING(139 37, 140 37, 140 38)", ((139, 37), (140, 37), (140, 38), (140, 37))),
        ("ENVELOPE(170, -170, 70, 60)", BERING),
        (polygon(((170, 60), (-170, 60), (-170, 70), (170, 70))), BERING),
        (polygon(((170, 60), (190, 60), (190, 70), (170, 70))), BERING),
        (polygon(((-190, 60), (-170, 60), (-170, 70), (-190, 70))), BERING),
        ("LINESTRING(170 0, -170 1)", ((170, 0), (190, 1))),
        ("ENVELOPE(-180, 180, 90, -90)", ((-180, -90), (540, -90), (540, 90), (-180, 90))),
        (
            polygon(((-100, 0), (100, 0), (100, 9), (-100, 9))),
            ((-100, 0), (100, 0), (100, 9), (-100, 9)),
        ),
        (
            polygon(((-180, -90), (-180, -60), (180, -60), (180, -90))),
            ((-180, -90), (-180, -60), (180, -60), (180, -90)),
        ),
    ],
)
def test_places_are_outlines_that_run_over_the_date_line(text, outline):
    """WKT and GeoJSON alike, boxes and edges of more than 180° go the short way around."""
    assert parts(text) == [Part(outline)]


def test_places_in_several_parts_and_with_holes():
    """Every part stands for itself; holes lie where their outline does."""
    two = "MULTIPOINT(1 2, 3 4)"
    assert parts(two) == [Part(((1, 2),)), Part(((3, 4),))]
    mixed = f"GEOMETRYCOLLECTION({two}, LINESTRING(0 0, 1 1))"
    assert len(parts(mixed)) == 3
    feature = {"type": "Feature", "geometry": {"type": "MultiPoint", "coordinates": [[1, 2]]}}
    collection = json.dumps({"type": "FeatureCollection", "features": [feature, feature]})
    assert parts(collection) == [Part(((1, 2),))] * 2
    outline = ((170, 60), (-170, 60), (-170, 70), (170, 70))
    hole = ((-179, 61), (-179, 62), (-178, 62), (-178, 61))
    assert parts(polygon(outline, hole)) == [
        Part(BERING, (((181, 61), (181, 62), (182, 62), (182, 61)),))
    ]
    assert parts("POINT EMPTY") == parts('{"type": "Polygon", "coordinates": []}') == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("会津若松市", "Unsupported geometry"),
        ("POINT(37.5 139.9)", "139.9 is not a latitude; the longitude comes first"),
        ("POINT(nan 1)", "nan is not a longitude"),
        ("POINT(1e9 1)", "1000000000.0 is not a longitude"),
        ("POINT(1", "Invalid WKT"),
        ("POINT(1)", "not enough values"),
        ("ENVELOPE(1, 2, 3)", "not enough values"),
        ("ENVELOPE(1, 2, 3, 4)", "the south, 4.0, lies north of the north, 3.0"),
        ("ENVELOPE(west, 2, 3, 4)", "could not convert"),
        ("{", "Expecting property name"),
        ('{"type": "Point"}', "no geometry with coordinates"),
        ('{"type": "Point", "coordinates": ["x", "y"]}', "could not convert"),
        ('{"type": "Polygon", "coordinates": [[]]}', "a ring without positions"),
        ('{"type": "Polygon", "coordinates": [1]}', "not iterable"),
        ('{"type": "Circle", "coordinates": [1, 2]}', "no geometry with coordinates"),
        ("", "Not a place"),
    ],
)
def test_nonsense_is_named(text, reason):
    """What is no place is an error that says what came and why it is none."""
    with pytest.raises(pysolr.SolrError, match="Not a place in WKT or GeoJSON") as error:
        parts(text)
    assert reason in str(error.value)


@given(st.text(max_size=40) | st.text("POINTLYGE (),.{}[]\"':0123456789-", max_size=40))
def test_any_text_is_a_place_or_an_error(text):
    """No text whatever ends in another error than the one that CKAN knows."""
    try:
        parts(text)
    except pysolr.SolrError as error:
        assert "Not a place" in str(error)


@given(
    st.lists(
        st.tuples(st.integers(-180, 180), st.integers(-90, 90)), min_size=3, max_size=6, unique=True
    )
)
def test_the_way_around_never_changes_the_shape(ring):
    """A polygon that stays on its side of the date line keeps its outline, as WKT and as GeoJSON."""
    ring = [(x / 4 + 100, y) for x, y in ring]
    [found] = parts(Polygon(ring).wkt)
    assert found == parts(polygon(ring))[0]
    if shape(json.loads(polygon(ring))).is_valid:
        assert Polygon(found.outline).equals(Polygon(ring))


@given(st.integers(-180, 179), st.integers(0, 179), st.integers(-90, 80))
def test_a_box_is_the_same_however_it_is_written(west, width, south):
    """Over the date line or not: as an envelope, and as a polygon wrapped to -180..180."""
    east = west + width
    wrapped = east if east <= 180 else east - 360
    outline = ((west, south), (east, south), (east, south + 9), (west, south + 9))
    assert parts(f"ENVELOPE({west}, {wrapped}, {south + 9}, {south})") == [Part(outline)]
    ring = [(x if x <= 180 else x - 360, y) for x, y in outline]
    [found] = parts(polygon(ring))
    assert box(*Polygon(found.outline).bounds).equals(box(west, south, east, south + 9))


def test_rows_of_a_dataset():
    """Each part of each field is a row in PostgreSQL's notation."""
    found = list(rows("i1", {"spatial_geom": ["POINT(1 2)", polygon(AIZU)], "spatial_bbox": []}))
    assert found == [
        {"index_id": "i1", "field": "spatial_geom", "outline": "((1.0,2.0))", "holes": []},
        {
            "index_id": "i1",
            "field": "spatial_geom",
            "outline": "((139.8,37.4),(140.0,37.4),(140.0,37.6),(139.8,37.6))",
            "holes": [],
        },
    ]


@pytest.mark.parametrize(
    ("text", "function"),
    [
        ("1", 1.0),
        ("-2.5e-3", -0.0025),
        ("minx", "minx"),
        (" max( 0 , minx ) ", Call("max", (0.0, "minx"))),
        (
            "geodist(spatial_geom,37.5,-139.9)",
            Call("geodist", ("spatial_geom", 37.5, -139.9)),
        ),
        ("div(sub(maxx,1),2)", Call("div", (Call("sub", ("maxx", 1.0)), 2.0))),
        ("now()", Call("now", ())),
    ],
)
def test_reads_functions(text, function):
    """Numbers, fields and calls within calls."""
    assert functions.parse(text) == function


def test_reads_functions_with_weights():
    """As in Solr's bf: side by side, each may have a weight."""
    assert functions.parse_weighted("views_total^2.5 sum(minx,1)") == (
        Weighted("views_total", 2.5),
        Weighted(Call("sum", ("minx", 1.0))),
    )
    assert functions.parse_weighted(" ") == ()


@pytest.mark.parametrize(
    "text", ["", "(", "max(", "max(1", "max(1,)", "max(1 2)", "1)", "1 2", "a;b", "1x", "'a'", "^2"]
)
def test_broken_function_is_an_error(text):
    """What is no function is refused."""
    with pytest.raises(pysolr.SolrError, match="Not a function"):
        functions.parse(text)


def test_function_in_function_without_end_is_refused():
    """Thousands of parentheses end in an error and not in a crash."""
    with pytest.raises(pysolr.SolrError, match="nested too deeply"):
        functions.parse("max(" * 5000)


def test_reads_ranges_of_functions():
    """The filter that ckanext-spatial sends, and open and closed ends."""
    query = parse_any("{!frange incl=false l=0 u=1}" + OVERLAP, "AND")
    assert isinstance(query, FunctionRange)
    assert (query.low, query.high, query.include_low, query.include_high) == (0, 1, False, True)
    assert isinstance(query.function, Call)
    assert parse_any("{!frange u=5 incu=false cache=false}minx", "AND") == FunctionRange(
        "minx", None, 5, include_high=False
    )


def statement(**parameters):
    return read({"q": "*:*", **parameters}).statement()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"fq": "{!frange l=a}minx"}, "Invalid Number: a"),
        ({"fq": "{!frange l=0 key=x}minx"}, "local parameter key"),
        ({"fq": "{!frange l=0}title"}, "text field title in a function"),
        ({"fq": "{!frange l=0}recip(minx,1,2,3)"}, "function recip with 4 arguments"),
        ({"fq": "{!frange l=0}div(1,2,3)"}, "function div with 3 arguments"),
        ({"fq": "{!field f=spatial_geom}Equals(POINT(1 2))"}, "'Equals(POINT(1 2))'"),
        ({"fq": "{!field f=spatial_geom}会津"}, "'会津' in the field of places"),
        ({"fq": "{!field f=spatial_geom}Intersects(POINT(1 2 3 x))"}, "Not a place"),
        ({"fq": "{!field f=spatial_geom}Intersects(MULTIPOINT(1 2,3 4))"}, "several parts"),
        ({"fq": "{!field f=spatial_geom score=area}Contains(POINT(1 2))"}, "parameter score"),
        ({"fq": "{!field f=my_geom}Intersects(ENVELOPE(1,2,4,3))"}, "place in my_geom"),
        ({"fq": "spatial_geom:[1 TO 2]"}, "range in the field of places"),
        ({"sort": "geodist(title,1,2) asc"}, "title is none"),
        ({"sort": "geodist(spatial_geom) asc"}, "function geodist with 1 arguments"),
        ({"sort": "spatial_geom asc"}, "can not sort"),
        ({"sort": "max(1,(2) asc"}, "Not a function"),
        ({"facet": "true", "facet.field": ["spatial_geom"]}, "facet on place field"),
    ],
)
def test_names_what_it_can_not_do(parameters, message):
    """A construct of Solr's that means nothing here is an error that says which."""
    with pytest.raises(pysolr.SolrError) as error:
        statement(**parameters)
    assert message in str(error.value)


@given(st.text(max_size=40), st.floats(-180, 180), st.floats(-90, 90))
def test_nothing_typed_is_in_the_statement(text, longitude, latitude):
    """Field names, shapes and numbers are parameters, whatever they are."""
    for parameters in (
        {"fq": f"{{!field f=spatial_geom}}Intersects({text})"},
        {"fq": f"{{!frange l=0}}max({text},1)"},
        {"fq": f'spatial_geom:"Intersects(POINT({longitude!r} {latitude!r}))"'},
        {"sort": f"geodist(spatial_geom,{latitude!r},{longitude!r}) asc"},
        {"bf": text, "defType": "edismax"},
    ):
        try:
            sql, values = statement(**parameters)
        except pysolr.SolrError:
            continue
        assert "%(" in sql
        assert not any(sign in sql.replace("%(", "") for sign in ("%%", ";", "--", "\\"))
        assert "spatial_geom" not in sql
        assert all(f"%({name})s" in sql for name in values)


def test_sort_by_distance_and_by_name():
    """Commas inside a function do not part the keys."""
    request = read({"q": "*:*", "sort": "geodist(spatial_geom, 37.5, 139.9) asc, name desc"})
    assert request.sort == (
        (Call("geodist", ("spatial_geom", 37.5, 139.9)), "asc"),
        ("name", "desc"),
    )
