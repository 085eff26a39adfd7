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


@pytest.fixture(scope="module")
def timetable(address):
    """A published dataset of many tables and two layers."""
    env = (Path(os.environ["AIZU_TEST_VAR"]) / "harvest.env").read_text().splitlines()
    token = dict(line.split("=", 1) for line in env)["AIZU_API_TOKEN"]
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
    portal = ckanapi.RemoteCKAN(address, apikey=token, user_agent="aizu tests")
    portal.call_action(
        "aizu_publish", {part: json.dumps(value) for part, value in call.items()}, files=files
    )
    return f"/dataset/{NAME}"


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


def test_lines_lie_under_points_in_their_own_colours(open_page, keep, timetable):
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
    page.wait_for_timeout(100)
    alone = canvas.evaluate(red)
    ticks.last.locator("input").uncheck()
    page.wait_for_timeout(100)
    none = canvas.evaluate(red)
    for tick in (ticks.first, ticks.last):
        tick.locator("input").check()
    page.wait_for_timeout(100)
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
