"""A dataset of several tables and map layers: published, renewed and refused as one."""

import json
import re
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest
from bs4 import BeautifulSoup
from ckanapi import NotFound, ValidationError

from .copies import eventually

STOPS = "stop_id,stop_name\r\n1,会津若松駅前\r\n2,鶴ヶ城入口\r\n"
TRIPS = "trip_id,stop_id\r\nA,1\r\nB,2\r\nC,2\r\n"
LINE = {"type": "LineString", "coordinates": [[139.93, 37.49], [139.94, 37.5]]}
SHAPES = {
    "type": "FeatureCollection",
    "features": [{"type": "Feature", "geometry": LINE, "properties": {"route_names": ["市内線"]}}],
}
TITLES = {"stops": ("停留所", "Stops"), "trips": ("便", "Trips"), "shapes": ("経路の形", "Shapes")}


def described(table, text):
    """A table as an item of `resources`; every column is a text."""
    fields = [{"name": column, "type": "string"} for column in text.partition("\r\n")[0].split(",")]
    title, title_en = TITLES.get(table, (table, ""))
    return {"name": table, "title": title, "title_en": title_en, "schema": {"fields": fields}}


def publish(
    portal,
    name,
    tables,
    *,
    layers=(),
    titles=None,
    original="bus.zip",
    resources=None,
    files=(),
    **own,
):
    """Publishes a dataset of these tables (text by name) and layers (names)."""
    call = {
        "dataset": {"name": name, "title": "バス", "notes": "試験", "license_id": "cc-by", **own},
        "organization": {"name": "aizuwakamatsu-kikikanri", "title": "危機管理課"},
        "resources": resources or [described(table, text) for table, text in tables.items()],
        "layers": titles or {},
        "source": {"url": "https://example.jp/bus.zip"},
        "report": {"valid": True, "tasks": []},
    }
    sent = {f"table:{table}": (f"{table}.csv", text.encode()) for table, text in tables.items()}
    sent |= {f"geojson:{layer}": ("x.geojson", json.dumps(SHAPES).encode()) for layer in layers}
    sent |= {"original": (original, b"PK")} if original else {}
    return portal.api(portal.token).call_action(
        "aizu_publish",
        {part: json.dumps(value) for part, value in call.items()},
        files={**sent, **dict(files)},
    )


@pytest.fixture
def name():
    """A name nobody has used."""
    return f"test-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def connect(portal):
    """Opens one of the portal's databases, by the name of its address in CKAN's settings."""
    opened = []

    def connect(setting):
        ini = (portal.var / "ckan.ini").read_text()
        address = re.search(rf"^{setting} = (.*)$", ini, re.MULTILINE)[1]
        opened.append(psycopg2.connect(address))
        opened[-1].autocommit = True
        return opened[-1].cursor()

    yield connect
    for connection in opened:
        connection.close()


@pytest.fixture
def datastore(connect):
    """The DataStore's database, as everybody who may read it."""
    return connect("ckan.datastore.read_url")


@pytest.fixture
def nothing_left(portal, connect, datastore):
    """Whether no table or file without a resource is there that was not there before the test.

    A harvest that runs at the same time has such for a moment.
    """
    catalogue = connect("sqlalchemy.url")

    def ids(cursor, query):
        cursor.execute(query)
        return {name for (name,) in cursor.fetchall()}

    def left():
        folder = portal.var / "storage" / "resources"
        files = {"".join(f.relative_to(folder).parts) for f in folder.rglob("*") if f.is_file()}
        tables = ids(datastore, "SELECT tablename FROM pg_tables WHERE tablename LIKE '%-%-%-%-%'")
        return (files | tables) - ids(catalogue, "SELECT id FROM resource WHERE state = 'active'")

    before = left()
    return lambda: eventually(lambda: left() <= before)


def resources(portal, name):
    return portal.api().action.package_show(id=name)["resources"]


def values(portal, resource_id):
    found = portal.api().action.datastore_search(resource_id=resource_id)["records"]
    return [tuple(record.values())[1:] for record in found]


def test_many_tables_are_one_dataset(portal, name):
    """The original comes first, then the layers, then the tables in the caller's order, each whole."""
    tables = {"stops": STOPS, "trips": TRIPS}
    answer = publish(portal, name, tables, layers=("stops", "shapes"))
    found = resources(portal, name)
    assert [
        (r["kind"], r.get("part", ""), r["name"], r["name_en"], r["format"]) for r in found
    ] == [
        ("original", "", "元のファイル", "Original file", "ZIP"),
        ("geojson", "stops", "停留所（GeoJSON・地図用）", "Stops (GeoJSON for maps)", "GeoJSON"),
        ("geojson", "shapes", "shapes（GeoJSON・地図用）", "shapes (GeoJSON for maps)", "GeoJSON"),
        ("table", "stops", "停留所（CSV・表）", "Stops (CSV table)", "CSV"),
        ("table", "trips", "便（CSV・表）", "Trips (CSV table)", "CSV"),
        ("parquet", "stops", "停留所（Parquet・分析用）", "Stops (Parquet for analysis)", "Parquet"),
        ("parquet", "trips", "便（Parquet・分析用）", "Trips (Parquet for analysis)", "Parquet"),
        *(
            ("geoparquet", layer, f"{title}（GeoParquet・分析用）", f"{en} (GeoParquet for analysis)",
             "Parquet")
            for layer, title, en in (("stops", "停留所", "Stops"), ("shapes", "shapes", "shapes"))
        ),
    ]  # fmt: skip
    ids = [":".join(filter(None, (r["kind"], r.get("part", "")))) for r in found]
    assert answer["resources"] == dict(zip(ids, [r["id"] for r in found], strict=True))
    assert (answer["rows"], answer["changed"]) == (5, True)
    assert values(portal, answer["resources"]["table:stops"]) == [
        ("1", "会津若松駅前"),
        ("2", "鶴ヶ城入口"),
    ]
    assert len(values(portal, answer["resources"]["table:trips"])) == 3
    assert [r["kind"] == "table" for r in found] == [r["datastore_active"] for r in found]


def test_one_table_is_what_people_look_for(portal, name):
    """A dataset of one table shows it first, under the names that every such dataset has."""
    publish(portal, name, {"stops": STOPS}, layers=("stops",))
    assert [r["name"] for r in resources(portal, name)] == [
        "データ（CSV・表）",
        "地図用データ（GeoJSON）",
        "元のファイル",
        "データ（Parquet・分析用）",
        "地図用データ（GeoParquet・分析用）",
    ]


TWO = {"stops": STOPS, "trips": TRIPS}


@pytest.mark.parametrize(
    ("change", "part", "said"),
    [
        ({"tables": {"stops": STOPS}, "resources": [
            described("stops", STOPS), described("trips", TRIPS)]}, "table:trips", ""),
        ({"resources": [described("stops", STOPS)]}, "table:trips", "table:stops"),
        ({"resources": [described("stops", STOPS), described("stops", STOPS)]}, "resources", "stops"),
        ({"resources": [described("stops", STOPS), described("Trips", TRIPS)]}, "resources", "Trips"),
        ({"resources": [described("stops", STOPS), {"name": "trips"}]}, "resources", "trips"),
        ({"resources": {"name": "stops"}}, "resources", ""),
        ({"tables": {**TWO, "trips": "trip_id,stop\r\n"}, "resources": [
            described("stops", STOPS), described("trips", TRIPS)]}, "table:trips", "stop_id"),
        ({"tables": {**TWO, "trips": TRIPS + "D\r\n"}}, "table:trips", "line 5"),
        ({"tables": {"stops": STOPS, "trips": "a" * 3_000_000}, "resources": [
            described("stops", STOPS), described("trips", TRIPS)]}, "table:trips", "131072"),
        ({"files": {"table": ("stops.csv", b"x")}}, "table", "table:stops"),
        ({"files": {"geojson:A-B": ("x.geojson", b"{}")}}, "geojson:A-B", "geojson:"),
        ({"files": {"original:2": ("x.zip", b"PK")}}, "original:2", "original"),
        ({"original": ""}, "original", ""),
    ],
)  # fmt: skip
def test_refused_part_is_named_and_leaves_nothing(portal, name, nothing_left, change, part, said):
    """A part that lacks, that nobody asked for or that does not fit is named; no table or file stays."""
    with pytest.raises(ValidationError) as refused:
        publish(portal, name, **{"tables": TWO, **change})
    told = {key: value for key, value in refused.value.error_dict.items() if key != "__type"}
    assert list(told) == [part]
    assert said in str(told)
    assert nothing_left()
    with pytest.raises(NotFound):
        portal.api(portal.token).action.package_show(id=name)


def test_refused_version_changes_nothing(portal, name, nothing_left):
    """When the second table of a new version is refused, the first one and all files stay as they were."""
    ids = publish(portal, name, TWO)["resources"]
    before = portal.api().action.package_show(id=name)
    with pytest.raises(ValidationError):
        publish(portal, name, {"stops": STOPS + "3,新駅\r\n", "trips": TRIPS + "D\r\n"})
    assert portal.api().action.package_show(id=name) == before
    assert len(values(portal, ids["table:stops"])) == 2
    assert nothing_left()


def test_table_and_layer_that_are_gone_leave_no_trace(portal, name, nothing_left):
    """What the new version does not have goes: resource, DataStore table and file."""
    first = publish(portal, name, TWO, layers=("stops", "shapes"))["resources"]
    second = publish(portal, name, {"trips": TRIPS}, layers=("shapes",))["resources"]
    stays = ("table:trips", "geojson:shapes", "original", "parquet:trips", "geoparquet:shapes")
    assert second == {part: first[part] for part in stays}
    assert {r["id"] for r in resources(portal, name)} == set(second.values())
    with pytest.raises(NotFound):
        portal.api().action.datastore_search(resource_id=first["table:stops"])
    assert nothing_left()


def test_new_table_appears_beside_the_old_ones(portal, name):
    """A table that comes with a new version has a page and rows; the others keep their addresses."""
    first = publish(portal, name, {"stops": STOPS})["resources"]
    second = publish(portal, name, TWO)["resources"]
    assert {part: second[part] for part in first} == first
    assert len(values(portal, second["table:trips"])) == 3
    page = portal.get(f"/dataset/{name}/resource/{second['table:trips']}")
    assert "便（CSV・表）" in page.text
    assert "trip_id" in page.text


def test_same_tables_change_nothing(portal, name):
    """The same again is no new version, a change in any table is one."""
    publish(portal, name, TWO)
    before = portal.api().action.package_show(id=name)
    assert publish(portal, name, TWO)["changed"] is False
    after = portal.api().action.package_show(id=name)
    assert after["metadata_modified"] == before["metadata_modified"]
    changed = publish(portal, name, {**TWO, "trips": TRIPS + "D,1\r\n"})
    assert (changed["changed"], changed["rows"]) == (True, 6)


def test_versions_without_names_of_parts_keep_their_addresses(portal, name):
    """A table published before datasets could have several keeps its id under its name."""
    first = publish(portal, name, {"stops": STOPS}, layers=("stops",))["resources"]
    editor = portal.api(portal.token).action
    without = [{**resource, "part": ""} for resource in resources(portal, name)]
    editor.package_patch(id=name, resources=without, content_hash="")
    assert "part" not in resources(portal, name)[0] or not resources(portal, name)[0]["part"]
    assert publish(portal, name, {"stops": STOPS}, layers=("stops",))["resources"] == first


def test_reader_never_sees_two_versions_at_once(portal, name, datastore):
    """While versions come and go, a query over both tables finds the same version in both."""

    def version(number):
        return dict.fromkeys(("stops", "trips"), f"id\r\n{number}\r\n")

    ids = publish(portal, name, version(0))["resources"]
    query = f'SELECT a.id, b.id FROM "{ids["table:stops"]}" a, "{ids["table:trips"]}" b'  # noqa: S608
    seen = set()
    with ThreadPoolExecutor() as pool:
        done = pool.submit(lambda: [publish(portal, name, version(n)) for n in range(1, 6)])
        while not done.done():
            datastore.execute(query)
            seen.update(datastore.fetchall())
            time.sleep(0.002)
        done.result()
    assert all(left == right for left, right in seen)
    assert len(seen) > 2


@pytest.mark.parametrize(
    ("file", "form", "media_type"),
    [
        ("bus.zip", "ZIP", "application/zip"),
        ("一覧.XLSX", "XLSX", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("records.xml", "XML", "application/xml"),
        ("seats.json", "JSON", "application/json"),
        ("vehicles.pb", "Protobuf", "application/x-protobuf"),
        ("books.mrc", "MARC", "application/marc"),
        ("page.html", "HTML", "application/octet-stream"),
        ("drawing.svg", "SVG", "application/octet-stream"),
        ("noname", "", "application/octet-stream"),
    ],
)
def test_originals_are_saved_and_never_run(portal, name, file, form, media_type):
    """Format and media type follow from the suffix alone; a browser saves the file, whatever it is."""
    ids = publish(portal, name, {"stops": STOPS}, original=file)["resources"]
    original = next(r for r in resources(portal, name) if r["id"] == ids["original"])
    assert (original["format"], original["mimetype"]) == (form, media_type)
    answer = portal.get(original["url"].removeprefix(portal.url))
    assert answer.content == b"PK"
    assert answer.headers["Content-Type"] == media_type
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_page_lists_tables_and_draws_all_layers(portal, name):
    """The dataset page has files, one map of all layers, and a line for each table with its rows."""
    publish(portal, name, TWO, layers=("stops", "shapes"))
    page = BeautifulSoup(portal.get(f"/dataset/{name}").text, "html.parser")
    lines = [" ".join(line.text.split()) for line in page.select(".table-list li")]
    assert [line.partition(" CSV")[0] for line in lines] == [
        "停留所 stops 2 行 ダウンロード 停留所",
        "便 trips 3 行 ダウンロード 便",
    ]
    assert len(page.select(".resource-item")) == 3
    (drawn,) = page.select("[data-aizu-map]")
    layers = json.loads(drawn["data-aizu-map"])["layers"]
    assert [layer["title"] for layer in layers] == ["停留所", "shapes"]


def test_layers_have_titles_of_their_own(portal, name):
    """A layer that shows something else than the table of its name says what, in both languages."""
    titles = {
        "stops": {"title": "最新の位置", "title_en": "Last positions"},
        "tracks": {"title": "道筋", "title_en": "Ways"},
    }
    publish(portal, name, {"stops": STOPS}, layers=("stops", "tracks"), titles=titles)
    layers = [r for r in resources(portal, name) if r["kind"] == "geojson"]
    assert [layer["name"] for layer in layers] == [
        "最新の位置（GeoJSON・地図用）", "道筋（GeoJSON・地図用）"
    ]  # fmt: skip
    page = BeautifulSoup(portal.get(f"/en/dataset/{name}").text, "html.parser")
    drawn = json.loads(page.select_one("[data-aizu-map]")["data-aizu-map"])
    assert [layer["title"] for layer in drawn["layers"]] == ["Last positions", "Ways"]
    titles["tracks"]["title"] = "通った道筋"
    again = publish(portal, name, {"stops": STOPS}, layers=("stops", "tracks"), titles=titles)
    assert again["changed"], "a new title is seen"
    with pytest.raises(ValidationError) as refused:
        publish(portal, name, {"stops": STOPS}, layers=("tracks",), titles={"tracks": {}})
    assert "tracks" in str(refused.value.error_dict["layers"])


def test_an_original_with_places_is_no_layer(portal, name):
    """What the city sent is offered as a file, and not drawn beside the layer that was made of it."""
    geojson = json.dumps(SHAPES).encode()
    sent = publish(
        portal, name, {"stops": STOPS}, layers=("stops",),
        files={"original": ("stops.geojson", geojson)},
    )  # fmt: skip
    original = sent["resources"]["original"]
    assert portal.api().action.resource_view_list(id=original) == []
    page = BeautifulSoup(portal.get(f"/dataset/{name}").text, "html.parser")
    drawn = json.loads(page.select_one("[data-aizu-map]")["data-aizu-map"])
    assert [layer["source"]["url"].rsplit("/", 2)[1] for layer in drawn["layers"]] == [
        sent["resources"]["geojson:stops"]
    ]


@pytest.mark.parametrize(
    ("prefix", "heading", "cells"),
    [
        ("", "測った時刻（日本時間）", ["はい", "いいえ", ""]),
        ("/en", "Measured (Japan Time)", ["Yes", "No", ""]),
    ],
)
def test_people_read_local_times_and_words(portal, name, prefix, heading, cells):
    """Pages show moments in Japanese time, yes and no in words; the file and the API stay as they were sent."""
    rows = ["A,2026-11-22T22:30:45Z,true", "B,2026-11-22T22:30:45.5Z,false", "C,,"]
    table = "\r\n".join(["車両,測った時刻,下げている", *rows, ""])
    fields = [
        {"name": "車両", "type": "string"},
        {"name": "測った時刻", "type": "datetime", "title_en": "Measured"},
        {"name": "下げている", "type": "boolean"},
    ]
    item = {"name": "plows", "title": "除雪車", "schema": {"fields": fields}}
    sent = publish(portal, name, {"plows": table}, resources=[item])["resources"]["table:plows"]
    for path in (f"/dataset/{name}", f"/dataset/{name}/resource/{sent}"):
        page = BeautifulSoup(portal.get(prefix + path).text, "html.parser")
        shown = page.select_one("table.data-table")
        assert heading in [th.get_text(strip=True) for th in shown.select("thead th")]
        found = [[td.get_text() for td in tr.select("td")] for tr in shown.select("tbody tr")]
        times = ["2026-11-23 07:30:45", "2026-11-23 07:30:45.500000", ""]
        assert [row[1:] for row in found] == [list(pair) for pair in zip(times, cells, strict=True)]
    assert values(portal, sent)[0] == ("A", "2026-11-22T22:30:45+00:00", True)
    (file,) = [r for r in resources(portal, name) if r["id"] == sent]
    assert portal.get(file["url"].removeprefix(portal.url)).content == table.encode("utf-8-sig")


def test_views_are_no_news(portal, name):
    """Every table and layer has its views, once; what has changed tells of the dataset alone."""
    publish(portal, name, {**TWO, "places": "lat,lon\r\n37.5,139.9\r\n"}, layers=("shapes",))
    publish(portal, name, {**TWO, "places": "lat,lon\r\n37.5,139.8\r\n"}, layers=("shapes",))
    anybody = portal.api().action
    shown = {
        r.get("part", ""): [view["view_type"] for view in anybody.resource_view_list(id=r["id"])]
        for r in resources(portal, name)
        if r["kind"] in ("table", "geojson", "original")
    }
    assert shown == {
        "": [],
        "shapes": ["aizu_map"],
        "stops": ["aizu_table"],
        "trips": ["aizu_table"],
        "places": ["aizu_table", "aizu_map"],
    }
    news = {found["activity_type"] for found in anybody.package_activity_list(id=name)}
    assert news == {"new package", "changed package"}


def test_dataset_of_many_tables_is_in_every_catalogue(portal, name):
    """DCAT-AP and Croissant are made of a dataset with many tables as of any other."""
    publish(portal, name, TWO, layers=("shapes",))
    turtle = portal.get(f"/dataset/{name}.ttl")
    croissant = portal.get(f"/dataset/{name}/croissant.jsonld").json()
    assert turtle.text.count("a dcat:Distribution") == 7
    assert "便（CSV・表）" in json.dumps(croissant, ensure_ascii=False)
