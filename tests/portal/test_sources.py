"""Every source of the demonstration city is in the catalogue after the first start: tables, layers, original, report."""

import json
from hashlib import sha256

import pytest
import yaml
from bs4 import BeautifulSoup

from .conftest import ROOT
from .copies import eventually

CITY = "aizuwakamatsu"
# The layers of each dataset: the table they are made of, its column of latitude, and what has one feature.
LAYERS = {
    "hydrant": {"hydrant": ("hydrant", "緯度", "ID")},
    "bus": {"stops": ("stops", "stop_lat", "stop_id"), "shapes": ("shapes", "shape_pt_lat", "shape_id")},
    "bus-live": {"vehicles": ("vehicles", "latitude", "vehicle_id")},
    "library": {},
    "library-seats": {},
    "deep-log": {},
    "snowplow": {"snowplow": ("snowplow", "latitude", "vehicle")},
}  # fmt: skip


@pytest.fixture(params=LAYERS)
def source(request):
    """Each source of the demonstration city."""
    return request.param


@pytest.fixture
def read(portal, source):
    """Reads something of the source's dataset, again if a harvest renewed it meanwhile."""

    def read(what):
        show = portal.api().action.package_show
        while True:
            dataset = show(id=f"{CITY}-{source}")
            found = what(dataset)
            if show(id=dataset["id"])["content_hash"] == dataset["content_hash"]:
                return dataset, found

    return read


@pytest.fixture
def still(portal, source):
    """The portal's own workers leave the source alone: two runs of it never overlap, and the second is refused."""
    paused = portal.aizu("pause", source, "--reason", "試験").returncode == 0
    assert paused
    assert eventually(lambda: not runs(portal, source), 60)
    yield
    # The hydrants are paused as long as the tests.
    if source != "hydrant":
        portal.aizu("resume", source)


def runs(portal, source):
    """The run of the source that has not ended."""
    told = json.loads(portal.aizu("status", "--json").stdout)
    (found,) = [one for one in told if (one["city"], one["source"]) == (CITY, source)]
    return found["run"]


def of_kind(dataset, kind):
    return {r["part"]: r for r in dataset["resources"] if r["kind"] == kind}


def records(portal, resource):
    search = portal.api().action.datastore_search
    return search(resource_id=resource["id"], limit=32000)["records"]


def content(portal, resource):
    return portal.get(resource["url"].removeprefix(portal.url)).content


def test_tables_have_the_rows_of_the_report(portal, read):
    """The API gives as many rows of each table as the report counts."""

    def rows(dataset):
        tables = of_kind(dataset, "table")
        return {name: len(records(portal, table)) for name, table in tables.items()}

    dataset, found = read(rows)
    report = json.loads(dataset["validation_report"])
    assert report["valid"]
    assert found == report["tables"]
    assert sum(found.values()) == report["rows"] > 0


def test_layers_have_the_places_of_the_tables(portal, source, read):
    """Where there are coordinates there is GeoJSON, with a feature for each thing that has a place."""

    def layers(dataset):
        tables = of_kind(dataset, "table")
        expected = {
            layer: len({row[key] for row in records(portal, tables[table]) if row[latitude]})
            for layer, (table, latitude, key) in LAYERS[source].items()
        }
        found = of_kind(dataset, "geojson").items()
        return expected, {name: json.loads(content(portal, layer)) for name, layer in found}

    _, (expected, found) = read(layers)
    assert {layer["type"] for layer in found.values()} <= {"FeatureCollection"}
    assert {name: len(layer["features"]) for name, layer in found.items()} == expected


@pytest.mark.usefixtures("still")
def test_original_is_what_was_fetched(portal, source, read):
    """The download has every byte that the harvester kept; it is no layer of the map, whatever it holds."""
    # Another test may have harvested it from another folder.
    run = portal.aizu("run", source)
    assert run.returncode == 0, run.stderr
    dataset, found = read(lambda dataset: content(portal, of_kind(dataset, "original")[""]))
    hashed = sha256(found).hexdigest()
    kept = portal.var / "harvest" / CITY / source / "snapshots" / hashed
    assert kept.read_bytes() == found
    original = of_kind(dataset, "original")[""]
    assert original["hash"] == f"sha256:{hashed}"
    assert portal.api().action.resource_view_list(id=original["id"]) == []


@pytest.mark.parametrize(
    ("language", "prefix", "verdict"), [("ja", "", "合格"), ("en", "/en", "Passed")]
)
def test_page_tells_verdict_and_warnings(portal, source, read, language, prefix, verdict):
    """The page says in its language what the data is, that it passed, how many rows, and what to mind."""
    path = f"{prefix}/dataset/{CITY}-{source}"
    dataset, page = read(lambda _: BeautifulSoup(portal.get(path).text, "html.parser"))
    schema = yaml.safe_load((ROOT / "schemas" / f"{source}.yaml").read_text())
    text = page.select_one("main, [role=main]").get_text(" ", strip=True)
    rows = json.loads(dataset["validation_report"])["rows"]
    assert schema["title" if language == "ja" else "title_en"] in page.h1.get_text()
    assert verdict in text
    assert f"{rows:,}" in text
    for warning in schema["warnings"]:
        assert warning[language] in text
    layers = [json.loads(box["data-aizu-map"])["layers"] for box in page.select("[data-aizu-map]")]
    assert [len(layer) for layer in layers] == ([len(LAYERS[source])] if LAYERS[source] else [])
