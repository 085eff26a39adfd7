"""What a checked feed gives: tables, days of service, trips of a day, and layers for maps."""

import json
from datetime import date

import pytest

from harvesters.gtfs import geojson

from .conftest import found, spoilt, town_files


def test_tables_hold_the_cells_as_they_were_written(town):
    """A time past midnight stays a text, and is a number of seconds where it is reckoned with."""
    times = town.tables["stop_times"]
    assert times.columns == town_files()["stop_times.txt"].decode().split("\n")[0].split(",")
    assert times["arrival_time"][5] == "24:15:00"
    assert town.typed["stop_times"]["arrival_time"][5] == 24 * 3600 + 15 * 60


def test_a_feed_says_what_it_is(town):
    """Publisher, version, extension, bounds and files."""
    assert town.info["feed_version"] == "2026-04"
    assert town.is_japanese
    assert town.bounds == (139.9262, 37.4737, 140.1, 37.5079)
    assert {file.name: file.rows for file in town.files}["stop_times.txt"] == 12


def test_a_feed_without_the_extension_is_not_japanese():
    """Whatever language it is in."""
    files = {name: part for name, part in town_files().items() if "_jp" not in name}
    edits = [("trips", 1, f"jp_{name}", None) for name in ("trip_desc", "office_id", "pattern_id")]
    plain = spoilt(*edits, ("routes", 1, "jp_parent_route_id", None))
    assert not found({name: plain[name] for name in files}).is_japanese


@pytest.mark.parametrize(
    ("day", "trips"),
    [
        (date(2026, 11, 2), ["T1", "T4", "T2"]),
        (date(2026, 11, 8), ["T3"]),
        (date(2026, 11, 23), ["T3"]),
        (date(2026, 3, 31), []),
        (date(2027, 3, 31), ["T1", "T4", "T2"]),
        (date(2027, 4, 1), []),
    ],
)
def test_the_trips_of_a_day(town, day, trips):
    """Weekday, Sunday, a holiday on a Monday, before the first day, on the last, after it."""
    assert town.trips_on(day)["trip_id"].to_list() == trips


def test_a_trip_of_the_day_has_its_times(town):
    """The last bus begins before midnight and ends after it."""
    last = town.trips_on(date(2026, 11, 2)).row(-1, named=True)
    assert (last["trip_id"], last["begins"], last["ends"]) == ("T2", 85_800, 87_300)


def test_a_service_without_end_does_not_fill_the_memory():
    """Some write the year 9999 for: until further notice."""
    feed = found(spoilt(("calendar", 2, "end_date", "99991231")))
    assert 2000 < feed.days.height < 5000


def test_stops_as_geojson(town):
    """Points in the order longitude, latitude; a node without a position is left out."""
    layer = json.loads(geojson.stops(town.typed))
    assert len(layer["features"]) == 7
    assert layer["features"][1] == {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [139.9299, 37.5078]},
        "properties": {
            "stop_id": "A1",
            "stop_name": "駅前",
            "platform_code": "1",
            "location_type": 0,
            "parent_station": "A",
            "zone_id": "ZA",
            "wheelchair_boarding": 1,
        },
    }


def test_shapes_as_geojson(town):
    """A line with the routes along it and a colour to draw it with."""
    (line,) = json.loads(geojson.shapes(town.typed))["features"]
    assert line["geometry"]["type"] == "LineString"
    assert line["geometry"]["coordinates"][0] == [139.9299, 37.5078]
    assert line["properties"] == {
        "shape_id": "H1",
        "route_ids": ["R1"],
        "route_names": ["1"],
        "route_color": "#006837",
    }


def test_layers_of_a_feed_without_shapes_are_empty():
    """Valid GeoJSON all the same."""
    feed = found(spoilt(("shapes", 0, "", None), ("trips", 1, "shape_id", None)))
    assert json.loads(geojson.shapes(feed.typed)) == {"type": "FeatureCollection", "features": []}
