"""Searching by map without ckanext-spatial: boxes, the nearest first, and where a dataset lies."""

import json

import pytest
from ckan.lib.search.common import SearchQueryError
from ckan.tests import factories, helpers

from ckanext.aizu_search import map_search
from ckanext.aizu_search.map_search import with_place

pytestmark = pytest.mark.usefixtures("with_plugins", "clean_db", "clean_index")

AIZU = {
    "type": "Polygon",
    "coordinates": [[[139.8, 37.4], [140, 37.4], [140, 37.6], [139.8, 37.4]]],
}
TOKYO = {"type": "Point", "coordinates": [139.7, 35.7]}


@pytest.fixture
def catalogue(with_plugins, clean_db, clean_index):  # noqa: ARG001 (first clean, then fill)
    """A dataset in Aizu, one in Tokyo, one over the date line and one nowhere."""
    line = {"type": "Point", "coordinates": [179, 60]}, {"type": "Point", "coordinates": [-179, 60]}
    places = {
        "aizu": json.dumps(AIZU),
        "tokyo": json.dumps(TOKYO),
        "bering": json.dumps({"type": "GeometryCollection", "geometries": line}),
        "nonsense": '{"type": "Polygon", "coordinates": "会津"}',
        "words": "会津若松市",
        "nowhere": "",
    }
    org = factories.Organization()["id"]
    for name, place in places.items():
        extras = [{"key": "spatial", "value": place}] if place else []
        factories.Dataset(name=name, title=name, owner_org=org, extras=extras)


def names(**parameters):
    answer = helpers.call_action("package_search", **parameters)
    assert answer["count"] == len(answer["results"])
    return [one["name"] for one in answer["results"]]


@pytest.mark.usefixtures("catalogue")
def test_search_by_box():
    """`ext_bbox` works without ckanext-spatial, over the date line and around the earth."""
    expected = {
        "139,37,141,38": {"aizu"},
        "139.81,37.55,139.83,37.59": set(),
        "130,30,150,40": {"aizu", "tokyo"},
        "139.7,35.7,139.7,35.7": {"tokyo"},
        "170,50,-170,70": {"bering"},
        "178,50,182,70": {"bering"},
        "-190,50,-170,70": {"bering"},
        "499,37,501,38": {"aizu"},
        "-180,-90,180,90": {"aizu", "tokyo", "bering"},
        "-400,-95,400,95": {"aizu", "tokyo", "bering"},
        "0,0,1,1": set(),
    }
    assert {box: set(names(extras={"ext_bbox": box})) for box in expected} == expected
    assert names(extras={"ext_bbox": [139, "37", 141, 38.0]}) == ["aizu"]


@pytest.mark.usefixtures("catalogue")
def test_search_by_box_goes_with_everything_else(app):
    """Words, filters and facets stay; the page of datasets and addresses of the API take it, too."""
    in_japan = {"ext_bbox": "130,30,150,40"}
    assert names(q="tokyo", extras=in_japan) == ["tokyo"]
    assert names(fq="name:aizu", fq_list=["-name:tokyo"], extras=in_japan) == ["aizu"]
    found = helpers.call_action("package_search", extras=in_japan, **{"facet.field": ["name"]})
    assert found["facets"]["name"] == {"aizu": 1, "tokyo": 1}
    page = app.get("/dataset/", query_string=in_japan)
    assert "/dataset/aizu" in page.body
    assert "/dataset/nowhere" not in page.body
    address = {"extras": json.dumps(in_japan)}
    answer = app.get("/api/3/action/package_search", query_string=address)
    assert answer.json["result"]["count"] == 2


@pytest.mark.usefixtures("catalogue")
def test_nearest_first():
    """`ext_near` puts the nearest first and what has no place last, unless another order is asked."""
    in_tokyo = {"ext_near": "139.75,35.68"}
    assert names(extras=in_tokyo)[:3] == ["tokyo", "aizu", "bering"]
    assert names(extras={"ext_near": "-170,65"})[0] == "bering"
    assert names(extras=in_tokyo, sort="title_string desc")[0] == "words"
    assert names(sort="geodist(spatial_geom,37.5,139.9) asc", rows=6)[:2] == ["aizu", "tokyo"]


WRONG = [
    ({"ext_bbox": "1,2,3"}, "expected west,south,east,north in degrees"),
    ({"ext_bbox": "-10,-20,10,a"}, "not '-10,-20,10,a'"),
    ({"ext_bbox": "nan,0,1,1"}, "not 'nan,0,1,1'"),
    ({"ext_bbox": "0,2,1,1"}, "2.0 lies north of 1.0"),
    ({"ext_bbox": {"x": 1}}, "ext_bbox"),
    ({"ext_bbox": 7}, "not '7'"),
    ({"ext_near": "139.9"}, "expected longitude,latitude in degrees"),
    ({"ext_near": "37.5,139.9"}, "139.9 is not a latitude"),
    ("{", "expected JSON"),
]


def test_wrong_places_are_named(app):
    """A box or point that is none is a clear message of what came and what was expected."""
    for extras, message in WRONG:
        with pytest.raises(SearchQueryError) as error:
            helpers.call_action("package_search", extras=extras)
        assert message in str(error.value)
        answer = app.post("/api/3/action/package_search", json={"extras": extras}, status=400)
        assert answer.json["error"]["__type"] == "Search Query Error"
    page = app.get("/dataset/", query_string={"ext_bbox": "1,2,3"}, status=400)
    assert "expected west,south,east,north" in page.body


def test_place_of_ckanext_dcat():
    """The areas of `spatial_coverage` count, each by the most exact it has; words are no words."""
    bbox = json.dumps(AIZU)
    areas = [
        {"text": "会津若松市", "bbox": bbox, "centroid": "{}"},
        {"text": "東京", "geom": TOKYO, "bbox": bbox},
        {"text": "どこか", "uri": "http://example.com/"},
    ]
    for coverage in (areas, json.dumps(areas)):
        place = with_place({"name": "x", "spatial_coverage": coverage})["spatial_geom"]
        assert place == [bbox, json.dumps(TOKYO)]
    assert with_place({"name": "x", "spatial_coverage": "会津若松市"}) == {
        "name": "x",
        "spatial_coverage": "会津若松市",
    }
    given = {"name": "x", "spatial": bbox, "spatial_geom": "POINT(1 2)"}
    assert with_place(given) == given


@pytest.mark.usefixtures("catalogue")
def test_coordinates_are_no_words():
    """A search for a number or for `polygon` does not find every dataset with a place."""
    areas = json.dumps([{"text": "会津若松市", "bbox": json.dumps(AIZU)}])
    for key in ("spatial_coverage", "spatial_coverage__bbox"):
        helpers.call_action(
            "package_patch", id="aizu", extras=[{"key": key, "value": areas}], notes="139 places"
        )
        assert names(q="polygon") == names(q="coordinates") == names(q="37.6") == []
        assert names(q="139") == ["aizu"]


def test_leaves_it_to_ckanext_spatial(monkeypatch):
    """Where ckanext-spatial is loaded, `ext_bbox` is its own."""
    monkeypatch.setattr(map_search.p, "plugin_loaded", lambda name: name == "spatial_query")
    assert names(extras={"ext_bbox": "x"}) == []
