"""Parquet as it is written, read back with pyarrow, pandas and GeoPandas."""

import datetime as dt
import json

import geopandas
import pandas
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ckanext.aizu import geoparquet, parquet, tiles

UTC = dt.UTC


def written(tmp_path, kind, *texts, position=None):
    """A table of one column, 値, of this type."""
    content = tmp_path / "table.csv"
    rows = ["番号,値", *(f"{n},{text}" for n, text in enumerate(texts))]
    content.write_bytes("\r\n".join([*rows, ""]).encode("utf-8-sig"))
    fields = [{"name": "番号", "type": "integer"}, {"name": "値", "type": kind}]
    told = parquet.write(content, fields, position, {"datapackage": "{}"}, tmp_path / "t.parquet")
    return told, pq.read_table(tmp_path / "t.parquet")


@pytest.mark.parametrize(
    ("kind", "texts", "arrow", "values"),
    [
        ("integer", ["007", "-5", ""], pa.int64(), [7, -5, None]),
        ("number", ["37.4936", "1e-05", "139.93022800000001"], pa.float64(),
         [37.4936, 1e-05, 139.93022800000001]),
        ("boolean", ["true", "FALSE", ""], pa.bool_(), [True, False, None]),
        ("date", ["2026-02-28", ""], pa.date32(), [dt.date(2026, 2, 28), None]),
        ("datetime", ["2026-11-23T07:30:45.5+09:00", "2026-01-01 00:00:00Z"],
         pa.timestamp("us", "UTC"), [dt.datetime(2026, 11, 22, 22, 30, 45, 500000, UTC),
                                     dt.datetime(2026, 1, 1, tzinfo=UTC)]),
        ("time", ["23:59:59", ""], pa.time64("ns"), [dt.time(23, 59, 59), None]),
        ("year", ["2026"], pa.int32(), [2026]),
        ("string", ["会津", "", '"a,""b"'], pa.large_string(), ["会津", None, 'a,"b']),
        ("string", ['""'], pa.large_string(), [None]),
    ],
)  # fmt: skip
def test_columns_have_the_types_of_their_schema(tmp_path, kind, texts, arrow, values):
    """Values of a type are values of that type; an empty cell is none, whether quoted or not."""
    told, table = written(tmp_path, kind, *texts)
    assert table.column_names == ["番号", "値"]
    assert (told.as_text, told.rows) == ((), len(texts))
    assert table.schema.field("値").type == arrow
    assert table["値"].to_pylist() == values


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("integer", "99999999999999999999"),
        ("number", "0.123456789012345678901"),
        ("number", "1" + "0" * 400),
        ("number", "NaN"),
        ("date", "2026-02-30"),
        ("date", "2026/02/01"),
        ("datetime", "2016-12-31T23:59:60Z"),
        ("datetime", "2026-01-01T00:00:00"),
        ("datetime", "2026-01-01T00:00:00.1234567Z"),
        ("time", "24:00:00"),
        ("boolean", "はい"),
    ],
)
def test_column_with_another_value_stays_as_it_is(tmp_path, kind, text):
    """What the type cannot tell without loss makes its column text, all of it and none other."""
    told, table = written(tmp_path, kind, "", text)
    assert told.as_text == ("値",)
    assert table.schema.field("値").type == pa.large_string()
    assert table["値"].to_pylist() == [None, text]
    assert table.schema.field("番号").type == pa.int64()


def test_positions_become_points(tmp_path):
    """GeoPandas sees points in longitude and latitude; a row without a place, or off the earth, has none."""
    content = tmp_path / "places.csv"
    content.write_text("緯度,経度,Geometry\n37.5,139.9,a\n,139.9,b\n137.5,39.9,c\n37.4,139.8,d\n")
    fields = [
        {"name": "緯度", "type": "number"},
        {"name": "経度", "type": "number"},
        {"name": "Geometry", "type": "string"},
    ]
    to = tmp_path / "places.parquet"
    parquet.write(content, fields, ("緯度", "経度"), {}, to)
    geo = json.loads(pq.read_schema(to).metadata[b"geo"])
    assert geo["primary_column"] == "geometry_"
    assert geo["columns"]["geometry_"] == {
        "encoding": "WKB",
        "geometry_types": ["Point"],
        "bbox": [139.8, 37.4, 139.9, 37.5],
    }
    read = geopandas.read_parquet(to)
    assert read.crs == "OGC:CRS84"
    shown = [None if one is None else (one.x, one.y) for one in read.geometry]
    assert shown == [(139.9, 37.5), None, None, (139.8, 37.4)]


def layer(*geometries, **properties):
    """A layer of these shapes, all with the same properties."""
    features = [
        {"type": "Feature", "geometry": one, "properties": properties} for one in geometries
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


LINE = {"type": "LineString", "coordinates": [[139.9, 37.4], [139.95, 37.5]]}
AREA = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}
HIGH = {"type": "Point", "coordinates": [139.9, 37.4, 200]}
BOTH = {"type": "GeometryCollection", "geometries": [LINE, AREA]}


@pytest.mark.parametrize(
    ("shapes", "kinds", "box"),
    [
        ([LINE, None], ["LineString"], [139.9, 37.4, 139.95, 37.5]),
        ([LINE, AREA], ["LineString", "Polygon"], [0, 0, 139.95, 37.5]),
        ([HIGH], ["Point Z"], [139.9, 37.4, 200, 139.9, 37.4, 200]),
        ([HIGH, LINE], [], [139.9, 37.4, 139.95, 37.5]),
        ([BOTH], ["GeometryCollection"], [0, 0, 139.95, 37.5]),
    ],
)
def test_layers_keep_shapes_and_properties(tmp_path, shapes, kinds, box):
    """Any layer read back by GeoPandas is what GeoPandas reads in the GeoJSON itself."""
    to = tmp_path / "layer.parquet"
    content = layer(*shapes, 路線=["市内線"], 幅=2.5, 本数=3)
    geoparquet.write_layer(geoparquet.features_of(content), {}, to)
    described = json.loads(pq.read_schema(to).metadata[b"geo"])["columns"]["geometry"]
    assert (described["geometry_types"], described["bbox"]) == (kinds, box)
    read = geopandas.read_parquet(to)
    again = geopandas.GeoDataFrame.from_features(json.loads(content), crs="OGC:CRS84")
    assert list(read.geometry) == list(again.geometry)
    assert list(read["幅"]) == [2.5] * len(shapes)
    assert list(read["路線"]) == ['["市内線"]'] * len(shapes)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"features": [1]}', b'{"features": [{"geometry": "x"}]}',
                layer({"type": "Point", "coordinates": ["a", "b"]}), layer({"type": "Circle"})]
)  # fmt: skip
def test_what_is_no_layer_is_refused(tmp_path, content):
    """Anything else than features with geometries is told, not written."""
    with pytest.raises(ValueError):
        geoparquet.write_layer(geoparquet.features_of(content), {}, tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_properties_of_many_kinds_are_text(tmp_path):
    """A property that is now a number, now a text, is text; whole and broken numbers are numbers."""
    one = json.loads(layer(LINE, a=1, b=1, c=2**70))["features"]
    two = json.loads(layer(LINE, a="x", b=0.5, c=1))["features"]
    geoparquet.write_layer(one + two, {}, tmp_path / "x")
    read = pandas.read_parquet(tmp_path / "x")
    assert list(read["a"]) == ["1", "x"]
    assert list(read["b"]) == [1.0, 0.5]
    assert list(read["c"]) == [str(2**70), "1"]


def test_tiles_of_a_layer(tmp_path):
    """Tippecanoe's file says nothing of this machine; of what is no layer there is none."""
    source, to = tmp_path / "roads", tmp_path / "made"
    source.write_bytes(layer(LINE, 幅=3))
    assert tiles.write(source, "roads", to)
    content = to.read_bytes()
    assert content.startswith(b"PMTiles\x03")
    source.write_bytes(b"<html>")
    assert not tiles.write(source, "roads", to)
