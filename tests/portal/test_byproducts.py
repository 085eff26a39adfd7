"""What the portal makes of tables and layers: the same data in other formats, of the same version."""

import io
import json
import uuid

import geopandas
import pandas
import pyarrow.parquet as pq
import pytest
from ckanapi import ValidationError

from .dataset_versions import csv_of, files_of, publish

FIELDS = [
    {"name": "番号", "type": "integer"},
    {"name": "名称", "type": "string"},
    {"name": "高さ", "type": "number"},
    {"name": "点検日", "type": "date"},
    {"name": "測定", "type": "datetime"},
    {"name": "使用可", "type": "boolean"},
]
ROWS = [
    "1,消火栓,1.5,2026-04-01,2026-11-22T22:30:45Z,true",
    '2,"防火水槽, 大",,,,false',
    "3,,-0.25,2020-02-29,2026-11-23T07:30:45+09:00,",
]
TABLE = "\n".join([",".join(one["name"] for one in FIELDS), *ROWS, ""])


@pytest.fixture
def name():
    """A name nobody has used."""
    return f"test-{uuid.uuid4().hex[:8]}"


def described(fields=FIELDS):
    """The one table of a call, without coordinates."""
    return [{"name": "list", "title": "一覧", "title_en": "List", "schema": {"fields": fields}}]


def file(portal, name, ids, part):
    """A resource's file, as anybody downloads it."""
    answer = portal.get(f"/dataset/{name}/resource/{ids[part]}/download/x")
    assert answer.ok
    return answer.content


def put(portal, name, table=TABLE, **changes):
    """Publishes that table and no layer; the rest of the call as always."""
    changes = {
        "resources": described(),
        "files": {"table:list": ("表.csv", table.encode())},
    } | changes
    line = {"type": "LineString", "coordinates": [[139.9, 37.4], [139.95, 37.5]]}
    feature = {"type": "Feature", "geometry": line, "properties": {"路線": "市内線"}}
    layer = {"type": "FeatureCollection", "features": [feature]}
    changes["files"]["geojson:list"] = ("線.geojson", json.dumps(layer).encode())
    return publish(portal, name, 1, **changes)["resources"]


def test_parquet_is_the_table_cell_by_cell(portal, name):
    """Types, Japanese names, empty cells and moments are those of the DataStore; the lines are GeoParquet."""
    ids = put(portal, name)
    read = pq.read_table(io.BytesIO(file(portal, name, ids, "parquet:list")))
    rows = portal.api().action.datastore_search(resource_id=ids["table:list"])["records"]
    cells = [
        {
            **row,
            "点検日": row["点検日"] and row["点検日"].isoformat(),
            "測定": row["測定"] and row["測定"].isoformat(),
        }
        for row in read.to_pylist()
    ]
    for row in rows:
        del row["_id"]
    assert cells == rows
    told = json.loads(read.schema.metadata[b"datapackage"])
    assert told["resources"][0]["schema"]["fields"] == FIELDS
    shapes = geopandas.read_parquet(io.BytesIO(file(portal, name, ids, "geoparquet:list")))
    assert (shapes.geometry[0].length > 0, shapes["路線"][0]) == (True, "市内線")


def test_all_formats_are_of_one_version_and_come_back_with_it(portal, name):
    """Resources, version and files agree in size and hash; an undo brings every byte back."""
    ids = publish(portal, name, 1)["resources"]
    first = {part: file(portal, name, ids, part) for part in ids}
    assert publish(portal, name, 2)["version"] == 2
    assert all(file(portal, name, ids, part) != content for part, content in first.items())
    portal.api(portal.token).action.aizu_undo(name=name, reason="試験")
    assert {part: file(portal, name, ids, part) for part in ids} == first
    shown = portal.api().action.aizu_version_show(name=name, number=3)
    assert {one["part"]: one["size"] for one in shown["files"]} == {
        part: len(content) for part, content in first.items()
    }
    found = portal.api().action.package_show(id=name)["resources"]
    made = next(one for one in found if one["kind"] == "parquet")
    assert (made["format"], made["mimetype"]) == ("Parquet", "application/vnd.apache.parquet")
    assert (made["size"], made["id"]) == (len(first["parquet:list"]), ids["parquet:list"])
    places = geopandas.read_parquet(io.BytesIO(first["parquet:list"]))
    assert (places.geometry.x == places["経度"]).all()
    assert (places.geometry.y == places["緯度"]).all()


def test_excel_and_programs_read_the_csv(portal, name):
    """A table has a byte order mark, sent or not; with or without it is the same content."""
    ids = publish(portal, name, 1)["resources"]
    content = file(portal, name, ids, "table:list")
    assert content == csv_of(1).encode("utf-8-sig")
    assert list(pandas.read_csv(io.BytesIO(content)).columns) == ["id", "v", "緯度", "経度"]
    again = {"table:list": ("list.csv", csv_of(1).encode("utf-8-sig"))}
    sent = {"files": again, "geojson:list": files_of(1)["geojson:list"]}
    assert publish(portal, name, 1, files=sent["files"])["changed"] is False


def test_column_that_cannot_be_typed_is_told(portal, name):
    """A moment that no library knows stays text, and the resource says so; nothing else changes."""
    table = TABLE.replace("2026-11-22T22:30:45Z", "2016-12-31T23:59:59.1234567Z")
    ids = put(portal, name, table)
    read = pandas.read_parquet(io.BytesIO(file(portal, name, ids, "parquet:list")))
    assert read["測定"][0] == "2016-12-31T23:59:59.1234567Z"
    found = portal.api().action.resource_show(id=ids["parquet:list"])
    assert "測定" in found["description"]
    assert "測定" in found["description_en"]


def test_layer_that_is_none_is_refused(portal, name):
    """A web page in the place of GeoJSON is named; the dataset is not made."""
    with pytest.raises(ValidationError) as refused:
        publish(portal, name, 1, files={"geojson:list": ("x.geojson", b"<html>")})
    assert "geojson:list" in refused.value.error_dict
    assert portal.get(f"/dataset/{name}").status_code == 404


def test_large_layer_has_tiles(portal, name):
    """From 5 MB on a layer is offered as PMTiles, too."""
    line = {"type": "LineString", "coordinates": [[139.9, 37.4], [139.95, 37.5]]}
    feature = {"type": "Feature", "geometry": line, "properties": {"備考": "雪" * 20_000}}
    layer = json.dumps({"type": "FeatureCollection", "features": [feature] * 50})
    files = {"geojson:list": ("roads.geojson", layer.encode())}
    ids = publish(portal, name, 1, files=files)["resources"]
    assert file(portal, name, ids, "pmtiles:list").startswith(b"PMTiles\x03")


@pytest.mark.parametrize(("prefix", "words"), [("", "ほかの形式"), ("/en", "Other formats")])
def test_page_offers_formats_beside_their_table(portal, name, prefix, words):
    """They are links of the table's entry, no entries; catalogues and search list them as files."""
    ids = publish(portal, name, 1)["resources"]
    page = portal.get(f"{prefix}/dataset/{name}").text
    assert words in page
    assert page.count('class="resource-item"') == 3
    assert ids["parquet:list"] in page
    assert portal.get(f"{prefix}/dataset/{name}/resource/{ids['parquet:list']}").ok
    assert "application/vnd.apache.parquet" in portal.get(f"/dataset/{name}.ttl").text
    assert "list.parquet" in portal.get(f"/dataset/{name}/croissant.jsonld").text
    found = portal.api().action.package_search(fq=f'name:{name} res_format:"Parquet"')
    assert found["count"] == 1
