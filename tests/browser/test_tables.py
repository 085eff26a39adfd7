"""The page of a dataset with many tables, points and lines; at a desk and on a phone."""

import json
import os
from pathlib import Path

import ckanapi
import pytest
from playwright.sync_api import expect

NAME = "test-many-tables"
DESK, PHONE = 1400, 360
TABLES = 18
ROUTES = ("#ffffff", "#d81b60", "")


def layer(*features):
    """GeoJSON of pairs of a geometry and properties."""
    found = [{"type": "Feature", "geometry": g, "properties": p} for g, p in features]
    return json.dumps({"type": "FeatureCollection", "features": found}).encode()


def stops():
    """Three thousand points, as many as a prefecture's buses have stops."""
    for n in range(3000):
        at = [139.8 + n % 60 / 300, 37.4 + n // 60 / 300]
        yield {"type": "Point", "coordinates": at}, {"stop_name": f"停留所{n}"}


def lines():
    """Routes through the city; one has no colour of its own."""
    for n, colour in enumerate(ROUTES):
        line = [[139.8 + k / 500, 37.45 + n / 50 + k % 7 / 500] for k in range(100)]
        own = {"route_color": colour} if colour else {}
        yield (
            {"type": "LineString", "coordinates": line},
            {"route_ids": [f"r{n}"], "route_names": [f"{n}号線", f"{n}号線"], **own},
        )


def portal(address):
    """The action API as the harvesters use it."""
    env = (Path(os.environ["AIZU_TEST_VAR"]) / "harvest.env").read_text().splitlines()
    token = dict(line.split("=", 1) for line in env)["AIZU_API_TOKEN"]
    return ckanapi.RemoteCKAN(address, apikey=token, user_agent="aizu tests")


@pytest.fixture(scope="module")
def timetable(address):
    """A published dataset of many tables and two layers."""
    names = ["stops", "shapes", *(f"fare_transfer_rules_{n}" for n in range(TABLES - 2))]
    titles = {"stops": "停留所", "shapes": "経路の形"}
    schema = {"fields": [{"name": "id", "type": "string"}]}
    call = {
        "dataset": {"name": NAME, "title": "時刻表", "notes": "試験", "license_id": "cc-by"},
        "organization": {"name": "aizuwakamatsu-kikikanri", "title": "危機管理課"},
        "resources": [
            {"name": name, "title": titles.get(name, "乗継運賃の規則"), "schema": schema}
            for name in names
        ],
        "source": {"url": "https://example.jp/bus.zip"},
        "report": {"valid": True, "tasks": []},
    }
    files = {f"table:{name}": (f"{name}.csv", b"id\r\n1\r\n2\r\n") for name in names}
    files["geojson:stops"] = ("stops.geojson", layer(*stops()))
    files["geojson:shapes"] = ("shapes.geojson", layer(*lines()))
    files["original"] = ("bus.zip", b"PK")
    portal(address).call_action(
        "aizu_publish", {part: json.dumps(value) for part, value in call.items()}, files=files
    )
    return f"/dataset/{NAME}"


@pytest.fixture(scope="module")
def plow(address):
    """A published dataset of one plough on the map, and of the way that it has come."""
    at = {"type": "Point", "coordinates": [139.93, 37.49]}
    seen = {"vehicle": "P1", "observed_at": "2026-11-22T22:30:45Z", "blade_down": True}
    columns = {"vehicle": "string", "observed_at": "datetime", "blade_down": "boolean"}
    fields = [{"name": column, "type": kind} for column, kind in columns.items()]
    fields[1]["title"] = "観測時刻"
    call = {
        "dataset": {"name": "test-one-plow", "title": "除雪車", "notes": "試験", "license_id": "cc-by"},
        "organization": {"name": "aizuwakamatsu-kikikanri", "title": "危機管理課"},
        "resources": [{"name": "plow", "title": "除雪車", "schema": {"fields": fields}}],
        "source": {"url": "https://example.jp/plow.json"},
        "report": {"valid": True, "tasks": []},
    }  # fmt: skip
    files = {
        "table:plow": ("p.csv", b"vehicle,observed_at,blade_down\r\nP1,2026-11-22T22:30:45Z,true\r\n"),
        "geojson:plow": ("p.geojson", layer((at, seen))),
        "original": ("p.geojson", layer((at, seen))),
    }  # fmt: skip
    portal(address).call_action(
        "aizu_publish", {part: json.dumps(value) for part, value in call.items()}, files=files
    )
    return "/dataset/test-one-plow"


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_map_is_drawn_without_being_looked_at(open_page, keep, settle, plow, width):
    """A print of the page has its map; one plough stands in the outline of the city."""
    page = open_page(width)
    page.goto(plow)
    drawn = page.locator("[data-aizu-map]")
    expect(drawn).to_have_attribute("data-ready", "true")
    expect(drawn.locator(".map-count")).to_have_text("1 か所")
    expect(drawn.locator(".map-note")).to_contain_text("破線は市のおおよその範囲")
    across = """canvas => {
      const { width, height } = canvas;
      const pixels = canvas.getContext("2d").getImageData(0, 0, width, height).data;
      const columns = new Set();
      for (let i = 3; i < pixels.length; i += 4) if (pixels[i]) columns.add((i >> 2) % width);
      return columns.size;
    }"""
    settle(page)
    assert drawn.locator(".map-canvas canvas").evaluate(across) > 80, "more than one mark"
    keep(page, f"plow-{width}")


def test_popup_reads_as_people_speak(open_page, plow):
    """The time is that of the city, and says so; a yes is a word."""
    page = open_page(DESK)
    page.goto(plow)
    drawn = page.locator("[data-aizu-map]")
    expect(drawn).to_have_attribute("data-ready", "true")
    drawn.locator(".map-canvas").focus()
    page.keyboard.press("Enter")
    rows = drawn.locator(".leaflet-popup tr")
    expect(rows).to_have_count(3)
    assert [text.split("\t") for text in rows.all_inner_texts()] == [
        ["vehicle", "P1"],
        ["観測時刻（日本時間）", "2026-11-23 07:30:45"],
        ["blade_down", "はい"],
    ]


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_many_tables_fit_on_a_page(open_page, keep, faults, timetable, width):
    """A line for each table, within the width of the page, its download a link."""
    page = open_page(width)
    page.goto(timetable)
    items = page.locator(".table-list li")
    expect(items).to_have_count(TABLES)
    expect(items.first).to_contain_text("停留所")
    expect(items.first).to_contain_text("2 行")
    with page.expect_download() as started:
        items.first.get_by_role("link", name="CSV").click()
    assert started.value.suggested_filename == "stops.csv"
    page.locator("[data-aizu-map]").scroll_into_view_if_needed()
    expect(page.locator("[data-aizu-map]")).to_have_attribute("data-ready", "true")
    keep(page, f"tables-{width}")
    assert faults(page, width) == []


def test_lines_lie_under_points_in_their_own_colours(open_page, keep, settle, timetable):
    """Both layers are on one map: lines in the colours of their routes, each layer taken off by a tick."""
    page = open_page(DESK)
    page.goto(timetable)
    drawn = page.locator("[data-aizu-map]")
    drawn.scroll_into_view_if_needed()
    expect(drawn).to_have_attribute("data-ready", "true")
    expect(drawn.locator(".map-count")).to_have_text("3,000 か所")
    ticks = drawn.locator(".map-legend label")
    assert ticks.all_inner_texts() == ["停留所 (3,000)", "経路の形 (3)"]
    red = """canvas => {
      const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
      let found = 0;
      for (let i = 0; i < pixels.length; i += 4) {
        found += pixels[i] === 0xd8 && pixels[i + 1] === 0x1b && pixels[i + 2] === 0x60;
      }
      return found;
    }"""
    canvas = drawn.locator(".map-canvas canvas")
    ticks.first.locator("input").uncheck()
    settle(page)
    alone = canvas.evaluate(red)
    ticks.last.locator("input").uncheck()
    settle(page)
    none = canvas.evaluate(red)
    for tick in (ticks.first, ticks.last):
        tick.locator("input").check()
    settle(page)
    assert (alone > 100, none) == (True, 0)
    assert 0 < canvas.evaluate(red) < alone
    keep(page, "lines-1400")


def test_line_says_which_routes_run_along_it(open_page, timetable):
    """Enter opens a line when it is alone on the map; its popup has names and no colour code."""
    page = open_page(DESK)
    page.goto(timetable)
    drawn = page.locator("[data-aizu-map]")
    drawn.scroll_into_view_if_needed()
    expect(drawn).to_have_attribute("data-ready", "true")
    drawn.get_by_role("checkbox", name="停留所").uncheck()
    drawn.locator(".map-canvas").focus()
    page.keyboard.press("Enter")
    popup = drawn.locator(".leaflet-popup")
    expect(popup).to_contain_text("路線")
    expect(popup).to_contain_text("号線")
    assert "、" not in popup.inner_text()
    assert "#" not in popup.inner_text()
