"""From the city's file to the catalogue, on a running portal."""

import csv
import io
import json
import re
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import geopandas
import pandas
import psycopg2
import pytest
import requests
from ckanapi import NotAuthorized, NotFound, ValidationError

HYDRANT = "aizuwakamatsu-hydrant"


def dataset(portal, name=HYDRANT):
    return portal.api().action.package_show(id=name)


def resource(portal, kind, name=HYDRANT):
    return next(r for r in dataset(portal, name)["resources"] if r.get("kind") == kind)


def download(portal, kind, name=HYDRANT):
    answer = requests.get(resource(portal, kind, name)["url"], timeout=60)
    answer.raise_for_status()
    return answer.content


def rows(portal, name=HYDRANT, **query):
    found = resource(portal, "table", name)["id"]
    return portal.api().action.datastore_search(resource_id=found, **query)


def test_table_files_and_source_hold_the_same_rows(portal):
    """What the city sends is in the DataStore, the CSV and the GeoJSON, row by row."""
    sent = requests.get(f"{portal.city_url}/hydrant/072028_fire_hydrant.csv", timeout=60).content
    source = list(csv.DictReader(io.StringIO(sent.decode("cp932"), newline="")))
    table = list(csv.DictReader(io.StringIO(download(portal, "table").decode("utf-8-sig"))))
    places = json.loads(download(portal, "geojson"))["features"]
    stored = rows(portal, limit=len(source) + 1)
    assert [row["ID"] for row in table] == [row["ID"] for row in source]
    assert stored["total"] == len(stored["records"]) == len(source) == len(places)
    assert [row["種別"] for row in stored["records"]] == [row["種別"] for row in source]
    assert [float(row["緯度"]) for row in table] == [float(row["緯度"]) for row in source]


def test_original_is_untouched(portal):
    """The original is offered byte for byte as the city sent it."""
    sent = requests.get(f"{portal.city_url}/hydrant/072028_fire_hydrant.csv", timeout=60).content
    assert download(portal, "original") == sent


def test_csv_opens_in_excel(portal):
    """The clean CSV begins with the byte order mark that Excel needs, and ends lines as it does."""
    content = download(portal, "table")
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\r\n") == content.count(b"\n")


def test_columns_are_typed(portal):
    """Coordinates are numbers in the DataStore: a range of latitudes can be asked for."""
    types = {field["id"]: field["type"] for field in rows(portal, limit=0)["fields"]}
    assert types["緯度"] == types["経度"] == "numeric"
    north = rows(portal, filters={"緯度": {"gte": 37.5}}, limit=5)
    assert 0 < north["total"] < rows(portal, limit=0)["total"]
    assert all(float(record["緯度"]) >= 37.5 for record in north["records"])


@pytest.mark.parametrize("part", ["消火", "火栓", "防火水", "若松市"])
def test_part_of_a_word_is_found(portal, part):
    """The table's search finds a part of a Japanese word, as 避難 in 避難所."""
    found = rows(portal, q=part, limit=5)
    assert found["total"] > 0
    assert all(part in "".join(map(str, record.values())) for record in found["records"])


def test_search_marks_are_plain_text(portal):
    """Signs that mean something to SQL's LIKE are looked for as they stand."""
    assert rows(portal, q="%")["total"] == 0
    assert rows(portal, q="_")["total"] == 0
    assert rows(portal, q="' OR 1=1 --")["total"] == 0
    assert rows(portal, q="\\")["total"] == 0


def test_dataset_says_what_it_is(portal):
    """Licence, department, theme, simulated flag, last check and report are with the dataset."""
    found = dataset(portal)
    assert found["simulated"] is True
    assert found["license_id"] == "cc-by"
    assert found["organization"]["title"].startswith("会津若松市")
    assert [group["name"] for group in found["groups"]] == ["safety"]
    assert found["harvest_state"] in ("ok", "unchanged")
    report = json.loads(found["validation_report"])
    assert report["valid"] is True
    assert report["rows"] == rows(portal, limit=0)["total"]


def test_same_content_changes_nothing(portal):
    """A second run of an unchanged source leaves the dataset as it is and records the check."""
    before = dataset(portal)
    run = portal.aizu("run", "hydrant")
    after = dataset(portal)
    assert run.returncode == 0, run.stderr
    assert after["harvest_state"] == "unchanged"
    assert after["metadata_modified"] == before["metadata_modified"]
    assert after["harvest_checked"] >= before["harvest_checked"]


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        ("html", 1, "HTML"),
        ("missing-column", 1, "経度"),
        ("encoding", 1, "文字コード"),
        ("outside", 1, "緯度"),
        ("truncated", 1, "バイト"),
        ("500", 3, "500"),
    ],
)
def test_bad_source_never_replaces_good_data(portal, fault, code, said):
    """A broken source ends the run with a code and a reason; the catalogue keeps what it had."""
    before, table = dataset(portal), download(portal, "table")
    run = portal.aizu("run", "hydrant", AIZU_CITY_URL=f"{portal.city_url}/fault/{fault}")
    after = dataset(portal)
    assert run.returncode == code, run.stdout + run.stderr
    assert said in run.stdout + run.stderr
    assert after["content_hash"] == before["content_hash"]
    assert after["metadata_modified"] == before["metadata_modified"]
    assert download(portal, "table") == table
    assert after["harvest_state"] == "failed"
    assert after["harvest_message"]
    page = portal.get(f"/dataset/{HYDRANT}").text
    assert after["harvest_message"].split("。")[0][:20] in page


def test_recovers_after_a_failure(portal):
    """The next good run takes the failure off the page."""
    portal.aizu("run", "hydrant", AIZU_CITY_URL=f"{portal.city_url}/fault/html")
    assert dataset(portal)["harvest_state"] == "failed"
    assert portal.aizu("run", "hydrant").returncode == 0
    assert dataset(portal)["harvest_state"] == "unchanged"


def test_unreachable_server_is_named(portal):
    """A server that is not there: exit code 3, and the address in the message."""
    run = portal.aizu("run", "hydrant", AIZU_CITY_URL="http://127.0.0.1:9")
    assert run.returncode == 3
    assert "127.0.0.1:9" in run.stdout + run.stderr
    portal.aizu("run", "hydrant")


def test_unreachable_portal_is_named(portal):
    """A portal that is not there: exit code 4."""
    run = portal.aizu("run", "hydrant", AIZU_PORTAL_URL="http://127.0.0.1:9")
    assert run.returncode == 4
    assert "127.0.0.1:9" in run.stdout + run.stderr


@pytest.mark.parametrize(
    ("city", "file", "encoding", "number", "kinds"),
    [
        (
            "yaizu",
            "hydrants/yaizu_222127_fire_hydrant.csv",
            "utf-8-sig",
            193,
            {"井戸": 101, "防火水そう": 92},
        ),
        (
            "sabae",
            "hydrants/sabae_200_shokasen_cp932.csv",
            "cp932",
            2568,
            {"消火栓": 2001, "防火水槽": 550, "プール": 16, "その他水利": 1},
        ),
    ],
)
def test_real_lists_of_other_cities(portal, real_file, city, file, encoding, number, kinds):
    """Two real lists, one in the standard layout and one in the city's own, are published whole."""
    path = real_file(file)
    run = portal.aizu("run", "hydrant", "--from", str(path), "--city", city)
    name = f"{city}-hydrant"
    assert run.returncode == 0, run.stdout + run.stderr
    assert download(portal, "original", name) == path.read_bytes()
    source = list(csv.DictReader(io.StringIO(path.read_bytes().decode(encoding), newline="")))
    stored = rows(portal, name, limit=5000)
    assert stored["total"] == number == len(source)
    found = [record["種別"] for record in stored["records"]]
    assert {kind: found.count(kind) for kind in kinds} == kinds
    assert sorted(float(r["緯度"]) for r in stored["records"]) == sorted(
        float(r["緯度"]) for r in source
    )
    features = json.loads(download(portal, "geojson", name))["features"]
    assert len(features) == number
    again = portal.aizu("run", "hydrant", "--from", str(path), "--city", city)
    assert again.returncode == 0
    assert dataset(portal, name)["harvest_state"] == "unchanged"


def parts(**changes):
    fields = [{"name": "名称", "type": "string"}, {"name": "数", "type": "integer"}]
    given = {
        "dataset": {"name": "test-parts", "title": "試験", "notes": "試験", "license_id": "cc-by"},
        "organization": {"name": "aizuwakamatsu-kikikanri", "title": "危機管理課"},
        "resources": [{"name": "list", "title": "一覧", "schema": {"fields": fields}}],
        "source": {"url": "https://example.jp/list.csv"},
        "report": {"valid": True, "tasks": []},
    }
    return {name: json.dumps(changes.get(name, value)) for name, value in given.items()}


def publish(portal, *, table="名称,数\r\nあ,1\r\n", token=None, name="一覧 表.csv", **changes):
    api = portal.api(token or portal.token)
    files = {"table:list": (name, table.encode()), "original": ("元 データ.csv", b"raw")}
    return api.call_action("aizu_publish", parts(**changes), files=files)


def columns(*fields):
    """One table of these columns, as `resources` of a call."""
    return [{"name": "list", "title": "一覧", "schema": {"fields": fields}}]


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"table": "名称\r\nあ\r\n"}, "table:list"),
        ({"table": "名称,数\r\nあ,いち\r\n"}, "table:list"),
        ({"resources": columns({"name": "_id", "type": "string"})}, "resources"),
        ({"resources": columns({"name": "数", "type": "whole"})}, "resources"),
        ({"report": {"valid": False}}, "report"),
        ({"organization": {}}, "organization"),
        ({"organization": {"name": ["x"]}}, "organization"),
        ({"resources": columns(1)}, "resources"),
        ({"resources": columns({"name": "数", "type": ["string"]})}, "resources"),
        ({"resources": columns({"name": "数"}, {"name": "数"})}, "resources"),
        ({"report": {"valid": True, "tasks": 5}}, "report"),
        ({"report": {"valid": True, "aizu": []}}, "report"),
        ({"dataset": {"title": "名前がない"}}, "dataset"),
    ],
)
def test_portal_does_not_trust_the_caller(portal, name, change, part):
    """Parts that do not belong together are refused by name, and no dataset appears."""
    with pytest.raises(ValidationError) as refused:
        publish(portal, **{"dataset": described(name), **change})
    assert part in refused.value.error_dict
    with pytest.raises(NotFound):
        dataset(portal, name)


def test_strangers_may_not_publish(portal):
    """Without a token nothing is published."""
    with pytest.raises(NotAuthorized):
        portal.api().call_action("aizu_publish", parts(), files={"table:list": ("a.csv", b"x")})


def test_harvesters_are_no_sysadmins(portal):
    """The harvesters' account cannot change the portal's configuration or see others' mail."""
    with pytest.raises(NotAuthorized):
        portal.api(portal.token).action.config_option_update(**{"ckan.site_title": "x"})


def test_new_version_keeps_addresses_and_japanese_names(portal):
    """A new version keeps ids and addresses; Japanese file names survive in both."""
    first = publish(portal)
    second = publish(portal, table="名称,数\r\nあ,1\r\nい,\r\n")
    assert (first["rows"], second["rows"], second["changed"]) == (1, 2, True)
    assert first["resources"] == second["resources"]
    for kind, name in (("table", "一覧-表.csv"), ("original", "元-データ.csv")):
        url = requests.utils.unquote(resource(portal, kind, "test-parts")["url"])
        assert url.endswith(f"/download/{name}")
    assert download(portal, "original", "test-parts") == b"raw"
    stored = rows(portal, "test-parts")["records"]
    assert [(record["名称"], record["数"]) for record in stored] == [("あ", 1), ("い", None)]


def described(name, **fields):
    """A dataset of that name."""
    return {"name": name, "title": "試験", "notes": "試験", "license_id": "cc-by", **fields}


@pytest.fixture
def name():
    """A name nobody has used."""
    return f"test-{uuid.uuid4().hex[:8]}"


def test_two_at_once_leave_one_whole_version(portal, name):
    """Two publications of one new dataset at the same moment: both are taken, one is whole."""
    tables = [f"名称,数\r\n{'あ' * n},{n}\r\n" for n in (3, 4)]
    with ThreadPoolExecutor() as pool:
        taken = [pool.submit(publish, portal, table=t, dataset=described(name)) for t in tables]
    assert all(one.result()["changed"] for one in taken)
    (stored,) = rows(portal, name)["records"]
    content = download(portal, "table", name).decode("utf-8-sig")
    assert content == f"名称,数\r\n{stored['名称']},{stored['数']}\r\n"


COLUMNS = (
    "a,b",
    "普及率(%)",
    "x%s",
    "a:b",
    "it's",
    "項目、数",
    "a\\b",
    "SELECT",
    "列 名",
    "x" * 63,
)


def test_columns_of_any_name(portal, name):
    """What means something to SQL or Python is a letter like any other in a column's name."""
    fields = [{"name": column, "type": "string", "title": "題'%"} for column in COLUMNS]
    buffer = io.StringIO()
    csv.writer(buffer).writerows([COLUMNS, [f"値{n}" for n in range(len(COLUMNS))]])
    publish(portal, table=buffer.getvalue(), dataset=described(name), resources=columns(*fields))
    (record,) = rows(portal, name, q="値3")["records"]
    assert [record[column] for column in COLUMNS] == [f"値{n}" for n in range(len(COLUMNS))]
    page = portal.get(f"/dataset/{name}/resource/{resource(portal, 'table', name)['id']}")
    assert page.status_code == 200
    for column in COLUMNS:
        assert (
            portal.get(page.url.replace(portal.url, ""), params={"sort": column}).status_code == 200
        )


@pytest.mark.parametrize("q", [":x", "%s", "'", '"', "\0", "a\\", "(", ":aizu_q0", "値 3"])
def test_any_words_can_be_looked_for_in_a_table(portal, q):
    """Nothing that is typed gives an error, by API or page."""
    table = resource(portal, "table")["id"]
    asked = {"resource_id": table, "q": q, "limit": 1}
    answer = portal.get("/api/3/action/datastore_search", params=asked)
    assert answer.json()["success"], answer.text
    assert portal.get(f"/dataset/{HYDRANT}/resource/{table}", params={"q": q}).status_code == 200


def test_shortened_names_of_a_table_survive(portal, name):
    """An alias that a programmer gave to the table shows the new version."""
    publish(portal, dataset=described(name))
    table = resource(portal, "table", name)["id"]
    alias = name.replace("-", "_")
    portal.api(portal.token).action.datastore_create(resource_id=table, aliases=[alias], force=True)
    publish(portal, table="名称,数\r\nい,2\r\n", dataset=described(name))
    found = portal.api().action.datastore_search(resource_id=alias)
    assert [record["名称"] for record in found["records"]] == ["い"]


def test_long_reader_holds_up_nobody(portal, name):
    """While somebody reads a table for long, a publication is refused and all others go on."""
    publish(portal, dataset=described(name))
    table = resource(portal, "table", name)["id"]
    ini = (portal.var / "ckan.ini").read_text()
    address = re.search(r"^ckan.datastore.read_url = (.*)$", ini, re.MULTILINE)[1]
    reader = psycopg2.connect(address)
    reader.cursor().execute(f'SELECT count(*) FROM "{table}"')
    with ThreadPoolExecutor() as pool:
        refused = pool.submit(
            publish, portal, table="名称,数\r\nう,3\r\n", dataset=described(name, title="別")
        )
        answered = 0
        while not refused.done():
            start = time.monotonic()
            assert rows(portal, name)["total"] == 1
            # The publication is refused after ten seconds: nobody else waits for it, though a live source may come first.
            assert time.monotonic() - start < 8
            answered += 1
            time.sleep(0.2)
        with pytest.raises(ValidationError):
            refused.result()
    assert answered >= 3
    reader.close()
    assert dataset(portal, name)["title"] == "試験"
    assert publish(portal, table="名称,数\r\nう,3\r\n", dataset=described(name))["changed"]


def test_what_stewards_wrote_stays(portal, name):
    """Fields that the harvester does not send are kept; a private dataset stays private."""
    publish(portal, dataset=described(name))
    steward = portal.api(portal.token).action
    written = {"documentation": ["https://example.jp/doc"], "private": True}
    steward.package_patch(id=name, **written)
    publish(portal, table="名称,数\r\nい,2\r\n", dataset=described(name))
    after = steward.package_show(id=name)
    assert {key: after[key] for key in written} == written


def test_deleted_dataset_is_not_brought_back(portal, name):
    """What a steward has deleted does not come back with the next harvest."""
    publish(portal, dataset=described(name))
    portal.api(portal.token).action.package_delete(id=name)
    for table in ("名称,数\r\nあ,1\r\n", "名称,数\r\nい,2\r\n"):
        with pytest.raises(ValidationError) as refused:
            publish(portal, table=table, dataset=described(name))
        assert name in str(refused.value)


def test_a_dataset_is_named_by_its_name(portal, name):
    """The id of a dataset is no name: it would rename it."""
    made = publish(portal, dataset=described(name))
    with pytest.raises(ValidationError):
        publish(portal, dataset=described(made["id"]))
    assert dataset(portal, made["id"])["name"] == name


@pytest.mark.parametrize("moment", ["yesterday", "2026-11-22T10:00:00"])
def test_a_check_has_a_moment(portal, moment):
    """A status without a moment that everybody understands alike is refused."""
    with pytest.raises(ValidationError):
        portal.api(portal.token).call_action(
            "aizu_harvest_status", {"name": HYDRANT, "state": "ok", "checked_at": moment}
        )


def test_reports_are_shown_with_their_dataset_only(portal):
    """CKAN's task_status_show, open to everybody, does not give away private datasets' reports."""
    asked = {"entity_id": dataset(portal)["id"], "task_type": "aizu_harvest", "key": "report"}
    with pytest.raises(NotAuthorized):
        portal.api().call_action("task_status_show", asked)


@pytest.mark.parametrize(("cell", "notes"), [("いち", "試験"), ("1", "")])
def test_refused_dataset_leaves_no_department_behind(portal, name, cell, notes):
    """A department is made only with the dataset that needs it, whatever the dataset is refused for."""
    organization = {"name": f"{name}-office", "title": "試験課"}
    with pytest.raises(ValidationError):
        publish(
            portal,
            table=f"名称,数\r\nあ,{cell}\r\n",
            dataset=described(name, notes=notes),
            organization=organization,
        )
    with pytest.raises(NotFound):
        portal.api().action.organization_show(id=organization["name"])


def test_map_data_is_read_by_gis(portal):
    """Geopandas reads the GeoJSON: points in degrees, every one inside the city, every property there."""
    frame = geopandas.read_file(io.BytesIO(download(portal, "geojson")))
    table = pandas.read_csv(io.BytesIO(download(portal, "table")), dtype=str)
    assert frame.crs.to_epsg() == 4326
    assert set(frame.geom_type) == {"Point"}
    west, south, east, north = frame.total_bounds
    assert 139.7 < west < east < 140.2
    assert 37.2 < south < north < 37.7
    assert list(frame["ID"].astype(str)) == list(table["ID"])
    assert (frame.geometry.x.round(6) == table["経度"].astype(float).round(6)).all()


def test_list_with_thousands_of_repairs(portal, tmp_path):
    """Fourteen thousand repaired cells are published, and the page says in words what was repaired."""
    sent = requests.get(f"{portal.city_url}/hydrant/072028_fire_hydrant.csv", timeout=60).content
    source = list(csv.reader(io.StringIO(sent.decode("cp932"), newline="")))
    place = source[0].index("緯度")
    wide = str.maketrans("0123456789", "０１２３４５６７８９")
    for row in source[1:]:
        row[place : place + 2] = [cell.translate(wide) for cell in row[place : place + 2]]
        row[3:5] = [cell + " " for cell in row[3:5]]
    file = tmp_path / "一覧.csv"
    with file.open("w", encoding="cp932", newline="") as output:
        csv.writer(output).writerows(source)
    run = portal.aizu("run", "hydrant", "--from", str(file))
    try:
        assert run.returncode == 0, run.stdout + run.stderr
        page = portal.get(f"/dataset/{HYDRANT}").text
        assert "全角の数字を半角に直しました: 2,972 か所" in page
        assert "<li></li>" not in page
        assert resource(portal, "original")["url"].endswith(requests.utils.quote("一覧.csv"))
    finally:
        assert portal.aizu("run", "hydrant").returncode == 0
