"""GeoJSON files of points in, rows with every property as it was written out; anything else refused by name."""

import json
import os
from dataclasses import replace

import pytest
from click.testing import CliRunner

from harvesters import intake, validate
from harvesters.city import Bbox, load_city
from harvesters.cli import cli
from harvesters.dataset import Origin
from harvesters.errors import ColumnsError, NotTheListError
from harvesters.fetch import read_file
from harvesters.original import name_and_type
from harvesters.rules import REPAIRS

from .conftest import ROOT, only, small, snapshot_of, table_of

RECORDING = ROOT / "tests" / "recordings" / "hydrant" / "points.geojson"
EXPECTED = ROOT / "tests" / "expected" / "hydrant" / "points.csv"
REAL = ROOT.parent / "shared" / "data" / "hydrants"
POINT = {"type": "Point", "coordinates": [139.9292, 37.4893]}


def feature(geometry=POINT, **properties):
    """One feature."""
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def written(*features, **members):
    """A collection as a program writes it."""
    collection = {"type": "FeatureCollection", **members, "features": list(features)}
    return json.dumps(collection, ensure_ascii=False).encode()


def crs(name):
    """The member that GeoJSON had before RFC 7946."""
    return {"crs": {"type": "name", "properties": {"name": name}}}


def test_a_recorded_file_becomes_the_expected_table(aizu):
    """Properties go through the same columns as the headings of a list."""
    table = table_of(read_file(RECORDING), aizu)
    verdict = validate.validate(only(table), aizu.feeds["hydrant"], aizu)
    assert verdict.valid, verdict.report
    if os.environ.get("AIZU_WRITE_EXPECTED"):
        EXPECTED.write_bytes(verdict.csv["hydrant"])
    assert verdict.csv["hydrant"] == EXPECTED.read_bytes()


def test_values_stay_as_they_were_written():
    """Digits, blanks and true; lists stay JSON; a feature's own number is a column."""
    content = (
        b'{"type": "FeatureCollection", "features": [{"type": "Feature", "id": 7, "properties": '
        b'{"a": 100.50, "b": null, "c": true, "d": [1, 2.0], "e": "x", "f": 1e3}, "geometry": '
        b'{"type": "Point", "coordinates": [139.92920000, 37.4893000]}}]}'
    )
    sheet = intake.read(content)
    assert sheet.headings == ["a", "b", "c", "d", "e", "f", "id", "緯度", "経度"]
    assert sheet.rows == [
        ["100.50", "", "true", '["1", "2.0"]', "x", "1e3", "7", "37.4893000", "139.92920000"]
    ]
    assert sheet.repairs == []


def test_features_may_differ_in_their_properties():
    """A property that some have is a column of all."""
    sheet = intake.read(written(feature(a="1"), feature(b="2"), feature(None, a="3")))
    assert sheet.headings == ["a", "b", "緯度", "経度"]
    assert sheet.rows[1] == ["", "2", "37.4893", "139.9292"]
    assert sheet.rows[2] == ["3", "", "", ""]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_any_encoding_is_read(encoding):
    """Older programs of geography write CP932."""
    text = written(feature(種別="消火栓", 所在地="会津若松市追手町")).decode()
    assert intake.read(text.encode(encoding)).rows[0][0] == "消火栓"


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("urn:ogc:def:crs:OGC:1.3:CRS84", [139.9292, 37.4893]),
        ("EPSG:4326", [139.9292, 37.4893]),
        ("urn:ogc:def:crs:EPSG::6668", [139.9292, 37.4893]),
    ],
)
def test_degrees_are_degrees(name, place):
    """WGS 84 and the Japanese datums of this century agree."""
    sheet = intake.read(written(feature({"type": "Point", "coordinates": place}), **crs(name)))
    assert sheet.rows[0][-2:] == ["37.4893", "139.9292"]


@pytest.mark.parametrize("code", [2451, 6677])
def test_plane_coordinates_become_degrees_and_are_recorded(code):
    """Zone IX, on either datum; the position of its origin is known: 36° N, 139°50' E."""
    place = feature({"type": "Point", "coordinates": [0, 0]})
    sheet = intake.read(written(place, **crs(f"urn:ogc:def:crs:EPSG::{code}")))
    latitude, longitude = map(float, sheet.rows[0][-2:])
    assert latitude == pytest.approx(36, abs=1e-7)
    assert longitude == pytest.approx(139 + 50 / 60, abs=1e-7)
    assert [(one.row, one.column, one.before) for one in sheet.repairs] == [
        (1, "経度", "0"), (1, "緯度", "0")
    ]  # fmt: skip
    assert {one.rule for one in sheet.repairs} <= set(REPAIRS)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"type": "FeatureCollection", "features": [', "JSON が途中で終わっています"),
        (b'{"error": "not found"}', "FeatureCollection ではない JSON です"),
        (b'{"type": "Topology", "objects": {}}', "FeatureCollection ではない JSON です"),
        (written(), "地物（features）が一つもありません"),
        (written(feature(a="1"), **crs("EPSG:4301")), "座標参照系 EPSG:4301 には対応していません"),
        (b'{"type": "FeatureCollection", "features": [{"a": NaN}]}', "NaN は書けません"),
        (b'{"type": "Feature", "properties": {"a": 1, "a": 2}}', "「a」が一つの地物に 2 回"),
    ],
)
def test_what_is_no_collection_is_refused_by_name(content, said):
    """With what came and what to do."""
    with pytest.raises(NotTheListError) as refused:
        intake.read(content)
    assert said in refused.value.words.ja


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (feature({"type": "LineString", "coordinates": [[1, 2], [3, 4]]}), "2 番目の地物: 点"),
        (feature({"type": "Point", "coordinates": [139.9]}), "2 番目の地物: 座標が 2 つの数"),
        (feature({"type": "Point", "coordinates": ["x", "y"]}), "2 番目の地物: 座標が 2 つの数"),
        (feature({"type": "Point", "coordinates": [8000.5, 165000.2]}), "平面直角座標なら crs に"),
        (feature(緯度="37.5", 経度="139.9292"), "2 番目の地物: 属性の緯度が点と違います"),
    ],
)
def test_a_feature_that_is_no_point_is_refused_by_its_number(bad, said):
    """Counted from 1, as people count."""
    with pytest.raises(ColumnsError) as refused:
        intake.read(written(feature(a="1"), bad))
    assert said in refused.value.words.ja


def test_properties_that_repeat_the_point_are_no_columns_of_their_own():
    """Many programs write both; the point is the position."""
    sheet = intake.read(written(feature(緯度="37.489301", 経度="139.9292", 種別="消火栓")))
    assert sheet.headings == ["種別", "緯度", "経度"]
    assert sheet.rows == [["消火栓", "37.4893", "139.9292"]]


def test_a_height_is_told():
    """It is in no column."""
    content = written(feature({"type": "Point", "coordinates": [139.9, 37.5, 210]}, a="1"))
    assert "標高" in intake.read(content).notes[0].ja


def test_the_original_keeps_its_kind():
    """A GeoJSON file is passed on as one, whatever the server calls it."""
    content = RECORDING.read_bytes()
    assert name_and_type(snapshot_of(content, "list.geojson"))[1] == "application/geo+json"
    assert name_and_type(snapshot_of(content, "export.php")) == ("export.json", "application/json")


@pytest.mark.usefixtures("settings_env")
def test_a_clerk_validates_such_a_file():
    """By the dataset's rules, and alone."""
    for options in ([], ["--schema", "hydrant"]):
        result = CliRunner().invoke(cli, ["validate", str(RECORDING), *options])
        assert ("誤り" in result.output) == bool(options)  # three rows are too few for the city


def elsewhere(bbox, read, file, **columns):
    """The hydrant list of a city abroad; what is not in `columns` is left out."""
    city = small(load_city("aizuwakamatsu"))
    feed = replace(
        city.feeds["hydrant"],
        columns={name: Origin(headings=(heading,)) for name, heading in columns.items()},
        constants={"全国地方公共団体コード": "000000", "種別": "消火栓"},
        ignore=tuple(set(read.headings) - set(columns.values()) - {"緯度", "経度"}),
        rows=replace(city.feeds["hydrant"].rows, maximum=1_000_000),
    )
    abroad = replace(city, bbox=bbox, feeds={"hydrant": feed})
    table = table_of(read_file(file), abroad)
    return table, validate.validate(only(table), feed, abroad)


@pytest.mark.skipif(
    not REAL.is_dir(), reason="the real lists (../shared/data/hydrants) are not here"
)
def test_a_real_file_of_geojson_is_read_with_a_mapping():
    """1,949 hydrants that volunteers have mapped."""
    file = REAL / "osm_nrw_hydrants.geojson"
    sheet = intake.read(file.read_bytes())
    assert len(sheet.rows) == 1949
    box = Bbox(west=5.8, south=50.3, east=9.5, north=52.6)
    table, verdict = elsewhere(box, sheet, file, ID="@id")
    assert verdict.valid, verdict.report["tasks"][0]["errors"][:3]
    assert table.frame.height == 1949
    assert "copyright" in sheet.metadata


@pytest.mark.skipif(
    not REAL.is_dir(), reason="the real lists (../shared/data/hydrants) are not here"
)
def test_a_real_list_of_another_country_is_read_with_a_mapping():
    """New York's hydrants."""
    file = REAL / "nyc_hydrants.csv"
    sheet = intake.read(file.read_bytes(), ["latitude", "longitude"])
    box = Bbox(west=-74.3, south=40.4, east=-73.6, north=41.0)
    table, verdict = elsewhere(box, sheet, file, ID="unitid", 緯度="latitude", 経度="longitude")
    assert verdict.valid, verdict.report["tasks"][0]["errors"][:3]
    assert table.frame.height == len(sheet.rows) > 100
