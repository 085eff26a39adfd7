"""Polls and logs of positions as vendors send them in, the expected tables out.

After a wanted change, `AIZU_WRITE_EXPECTED=1 pytest tests/unit/harvesters/test_snowplow.py` writes the
expected files anew; look at the difference before committing it.
"""

import json
import os
from dataclasses import replace

import pytest

from harvesters import fetch, report, validate, zips
from harvesters.errors import ColumnsError, NotTheListError
from harvesters.report import FINDING
from harvesters.sources import snowplow
from harvesters.terminal import as_table

from .conftest import ROOT, snapshot_of

RECORDINGS = ROOT / "tests" / "recordings" / "snowplow"
EXPECTED = ROOT / "tests" / "expected" / "snowplow"
GOOD = [
    "features.json",
    "history.json",
    "log-en.csv",
    "log-ja.csv",
    "observations.json",
    "routes.geojson",
    "tracker.json",
    "units.json",
    "works.json",
]
HEAD = "vehicle,observed_at,latitude,longitude"


@pytest.fixture
def package(aizu):
    """Reads the bytes of a feed."""
    return lambda content, filename="feed", feed=aizu.feeds["snowplow"]: snowplow.normalise(
        snapshot_of(content, filename), feed, aizu, lambda name: None
    )


@pytest.fixture
def first(package):
    """The one row that a log of one row becomes, by column, and the repairs."""

    def read(headings, cells):
        content = f"{HEAD},{headings}\nP1,2026-10-31T23:00:00Z,37.4951,139.9301,{cells}\n"
        made = package(content.encode(), "log.csv")
        return made.tables[0].frame.row(0, named=True), made.repairs

    return read


def agrees(name, content):
    """Whether the expected file says the same; writes it instead when asked to."""
    path = EXPECTED / name
    if os.environ.get("AIZU_WRITE_EXPECTED"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return path.read_bytes() == content


def told(made):
    """All that is said beside the table."""
    return {
        "rows": [*made.tables[0].row_numbers],
        "repairs": [vars(repair) for repair in made.repairs],
        "notes": [note.ja for note in made.notes],
        "problems": [[one.rule, one.severity, one.row, one.column, one.value] for one in made.problems],
        "layers": {name: json.loads(layer) for name, layer in made.layers.items()},
    }  # fmt: skip


@pytest.mark.parametrize("recording", GOOD)
def test_a_recording_becomes_the_expected_table(package, aizu, recording):
    """Each shape ends in the same columns, valid, with every repair and note accounted for."""
    made = package((RECORDINGS / recording).read_bytes(), recording)
    verdict = validate.validate(made, aizu.feeds["snowplow"], aizu)
    assert verdict.valid, verdict.report
    assert agrees(f"{recording}.csv", verdict.csv["snowplow"])
    text = json.dumps(told(made), ensure_ascii=False, indent=1) + "\n"
    assert agrees(f"{recording}.json", text.encode())


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("recording", ["spoilt.csv", "vehicles.geojson"])
def test_a_spoilt_feed_is_explained_cell_by_cell(package, aizu, recording, language):
    """The clerk's table names row, column, value and rule of every planted fault, and no others."""
    made = package((RECORDINGS / recording).read_bytes(), recording)
    verdict = validate.validate(made, aizu.feeds["snowplow"], aizu)
    assert not verdict.valid
    rows = [finding.cells(language) for finding in report.findings(verdict.report, made)]
    text = as_table(rows, FINDING.said(language).split(",")) + "\n"
    assert agrees(f"{recording}.{language}.txt", text.encode())


@pytest.mark.parametrize(
    ("written", "read"),
    [("952150", "952150"), ("952150.0", "952150"), ("９５２１５０", "952150"), (" 952150 ", "952150"),
     ("A-01", "A-01"), ("Ａ－０１", "A-01"), ("007", "007"), ("1.5", "1.5"), ("A  01", "A 01")],
)  # fmt: skip
def test_a_vehicle_has_one_name(package, written, read):
    """What programs do to a number is taken back and recorded; leading zeros and case are names."""
    content = f"{HEAD}\n{written},2026-10-31T23:00:00Z,37.4951,139.9301\n".encode()
    made = package(content)
    assert made.tables[0].frame["vehicle"].to_list() == [read]
    found = [(one.row, one.before, one.after, one.rule) for one in made.repairs]
    assert found == ([(2, written, read, "vehicle-name")] if written != read else [])


def test_equal_repairs_are_counted_once(package, aizu):
    """A log of a million rows must not become a million repairs."""
    lines = [f"7.0,2026-10-31T23:{i // 60:02}:{i % 60:02}Z,37.4951,139.9301\n" for i in range(500)]
    made = package((HEAD + "\n" + "".join(lines)).encode())
    assert [(one.row, one.before, one.count) for one in made.repairs] == [(2, "7.0", 500)]
    verdict = validate.validate(made, aizu.feeds["snowplow"], aizu)
    (counted,) = report.short(verdict.report, made)["aizu"]["repairs"]
    assert counted["count"] == 500


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-01-20T06:30:05Z", "2026-01-20T06:30:05Z"),
        ("2026-01-20T15:30:05+09:00", "2026-01-20T06:30:05Z"),
        ("2026-01-20T15:30:05+0900", "2026-01-20T06:30:05Z"),
        ("2026-01-20 06:30:05+00:00", "2026-01-20T06:30:05Z"),
        ("2026-01-20T06:30:05.250Z", "2026-01-20T06:30:05.250Z"),
        ("2026-01-20T06:30:05.5136066Z", "2026-01-20T06:30:05.513Z"),
        ("2026-01-20 15:30:05", "2026-01-20T06:30:05Z"),
        ("2026/1/20 15:30:05", "2026-01-20T06:30:05Z"),
        ("2026/01/20 15:30", "2026-01-20T06:30:00Z"),
        ("令和8年1月20日 15時30分5秒", "2026-01-20T06:30:05Z"),
        ("20260120153005", "2026-01-20T06:30:05Z"),
        ("20.1.2026 15:30:05", "2026-01-20T06:30:05Z"),
        ("Tue Jan 20 00:30:05 CST 2026", "2026-01-20T06:30:05Z"),
        ("1768890605", "2026-01-20T06:30:05Z"),
        ("1768890605000", "2026-01-20T06:30:05Z"),
        ("1768890605.0", "2026-01-20T06:30:05Z"),
        ("/Date(1768890605000)/", "2026-01-20T06:30:05Z"),
        ("1/20/2026 3:30:05 PM", "2026-01-20T06:30:05Z"),
        ("20/1/2026 15:30:05", "2026-01-20T06:30:05Z"),
        ("yesterday", "yesterday"),
    ],
)
def test_a_time_is_told_in_utc(package, written, read):
    """Whatever the form; a time without a zone is Japan's, and what is no time stays to be found."""
    made = package(f"{HEAD}\nP1,{written},37.4951,139.9301\n".encode())
    assert made.tables[0].frame["observed_at"].to_list() == [read]


@pytest.mark.parametrize(
    ("heading", "written", "read"),
    [("speed_kmh", "18", "18"), ("Speed (mph)", "10", "16.1"), ("speed_mph", "10", "16.1"),
     ("speed_kn", "10", "18.5"), ("速度(m/s)", "10", "36.0"), ("speedMilesPerHour", "10", "16.1"),
     ("speed", '"12,5"', "12.5"), ("speed", "10 mph", "16.1"),
     ("speed", "時速20キロ", "20"), ("speed", "5.5km/h", "5.5"), ("speed", "fast", "fast"),
     ("speed", "-", ""), ("speed", "NaN", "")],
)  # fmt: skip
def test_a_speed_is_told_in_kmh(first, heading, written, read):
    """By the unit of the heading or of the cell; words stay to be found."""
    assert first(heading, written)[0]["speed_kmh"] == read


@pytest.mark.parametrize(
    ("written", "read"),
    [("270", "270"), ("NNE", "22.5"), ("北北東", "22.5"), ("南", "180"), ("South-West", "225"),
     ("90°", "90"), ("northbound", "0"), ("２７０", "270"), ("somewhere", "somewhere")],
)  # fmt: skip
def test_a_heading_is_told_in_degrees(first, written, read):
    """Sixteen points in two languages."""
    assert first("heading", written)[0]["heading"] == read


@pytest.mark.parametrize(
    ("written", "read"),
    [("下げ", "true"), ("上げ", "false"), ("TRUE", "true"), ("0", "false"), ("1.0", "true"),
     ("Down", "true"), ("Front plow up", "false"), ("Wing plow down", "true"), ("", ""), ("halfway", "halfway")],
)  # fmt: skip
def test_a_blade_is_down_or_up(first, written, read):
    """Other words stay to be found."""
    assert first("blade", written)[0]["blade_down"] == read


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (b'{"type":"FeatureCollection","features":[]}', NotTheListError, "an empty list"),
        (b"[]", NotTheListError, "an empty list"),
        (b'"d73447e6"', NotTheListError, "a single value"),
        (b'[{"id":1,"operationName":"x"}]', NotTheListError, "a list of codes"),
        (b'{"$schema":"x","type":"object"}', NotTheListError, "JSON Schema"),
        (b'{"error":{"code":499,"message":"Token Required"}}', NotTheListError, "499 Token"),
        (b'{"name":"P","geometryType":"p","fields":[]}', NotTheListError, "ArcGIS layer 'P'"),
        (b'[{"vehicle":"P1","latitude":37.4', NotTheListError, "ends in the middle"),
        (b'{"id": __ID__, "latitude": 1}', NotTheListError, "line 1, character 8"),
        (b'{"name": "\\ud83d", "latitude": 1}', NotTheListError, "half a character"),
        (b'{"a":' * 100_000, NotTheListError, "nested too deeply"),
        (b'{"name": "\x8f\x9c"}', NotTheListError, "byte 11 is not UTF-8"),
        (b"<!DOCTYPE html><html></html>", NotTheListError, "web page"),
        (b"", NotTheListError, "empty"),
        (b"PK\x03\x04broken", NotTheListError, "damaged"),
        (b"name,latitude,longitude\nA,37,139\n", ColumnsError, "observed_at: heading"),
        (b"vehicle,time,street\nA,2026-01-01 00:00:00,1\n", ColumnsError, "latitude: heading"),
        (b"vehicle,time,lat,lon\nA,08:30:00,37,139\n", ColumnsError, "a date"),
        (b"vehicle,time,lat,lon\nA,2026-01-01 00:00:00,37,139\nB,20", NotTheListError, "row 3"),
        (
            b'{"type":"Feature","properties":{"status":"3","completetime":1643762559000},'
            b'"geometry":{"type":"LineString","coordinates":[[139.9,37.5],[139.8,37.5]]}}',
            ColumnsError,
            "lines of roads",
        ),
    ],
)
def test_what_holds_no_positions_is_named(package, content, error, words):
    """A clerk learns what came instead, and what to do."""
    with pytest.raises(error, match=words.replace("(", r"\(")):
        package(content)


@pytest.mark.parametrize(
    ("content", "vehicle", "at"),
    [
        (b"\xe8\xbb\x8a\xe4\xb8\xa1;Aika;Lat;Lng\nP1;1.11.2026 8:00:00;37,5;139,9\n", "P1", 8),
        (b"truck\tgps_date\tXPOSITION\tYPOSITION\nP1\t1793487600\t139.9\t37.5\n", "P1", 8),
        (b'{"P1":{"lat":37.5,"lng":139.9,"ts":1793487600},'
         b'"P2":{"lat":37.5,"lng":139.9,"ts":1793487600}}', "P1", 8),
        (b'{"data":[{"id":"P1","gps":[{"time":"2026-10-31T23:00:00Z","latitude":37.5,'
         b'"longitude":139.9}]}]}', "P1", 8),
        (b'{"id":"P1","lat":37.5,"lon":139.9,"timestamp":"2026-10-31T23:00:00Z"}\n'
         b'{"id":"P1","lat":37.5,"lon":139.9,"timestamp":"2026-10-31T23:00:20Z"}', "P1", 8),
        (b'{"units":[{"id":"P1","polyline":"_f{cF_f{tY","last_update":1793487600}]}', "P1", 8),
        (b'{"geometryType":"esriGeometryPolyline","features":[{"attributes":{"unit":"P1",'
         b'"starttime":1793487540000,"endtime":1793487600000},"geometry":{"paths":'
         b'[[[139.9,37.5],[139.9,37.5]]]}}]}', "P1", 8),
    ],
)  # fmt: skip
def test_a_shape_that_nobody_has_recorded_is_read_all_the_same(package, content, vehicle, at):
    """Names, nesting and geometry lead to the place, whoever sends it."""
    frame = package(content).tables[0].frame
    assert frame["vehicle"][0] == vehicle
    assert (float(frame["latitude"][-1]), float(frame["longitude"][-1])) == (37.5, 139.9)
    assert f"2026-10-31T{at + 15:02}:00:00Z" in frame["observed_at"].to_list()


def test_a_clock_of_twelve_hours_stands_beside_its_date(package):
    """8:05 AM and 3:05 PM are times of day, as 15:05 is."""
    content = b"Unit,Date,Time,Lat,Lon\nP1,1/20/2026,8:05 AM,37.5,139.9\nP1,1/20/2026,3:05 PM,37.5,139.9\n"
    (table,) = package(content).tables
    assert table.frame["observed_at"].to_list() == ["2026-01-19T23:05:00Z", "2026-01-20T06:05:00Z"]


def test_one_position_told_by_two_polls_counts_once(package):
    """Polls of a day in a zip are one table; a vehicle that stood still is not there twice."""
    content = (RECORDINGS / "tracker.json").read_bytes()
    later = content.replace(b"59:40+09", b"59:55+09")
    made = package(zips.pack({"1.json": content, "2.json": later}), "polls.zip")
    assert made.tables[0].frame.height == 4
    assert "4 rows that say the same" in " ".join(note.en for note in made.notes)
    assert json.loads(made.layers["tracks"])["features"] == []


def test_a_refusal_says_which_of_several_answers_it_is_about(package):
    """The contractor whose feed is an error page is named."""
    packed = zips.pack({"A.json": b"<html></html>"})
    with pytest.raises(NotTheListError, match="web page"):
        package(packed, "polls.zip")
    packed = zips.pack({"A.json": (RECORDINGS / "tracker.json").read_bytes(), "B.json": b"[]"})
    with pytest.raises(NotTheListError, match=r"^B\.json: "):
        package(packed, "polls.zip")


def test_the_city_file_decides_what_names_do_not(package, aizu):
    """Its headings, constants and own columns come before the names that are known."""
    feed = replace(
        aizu.feeds["snowplow"],
        constants={"operator": "市"},
        columns={"vehicle": aizu.feeds["snowplow"].dataset.fields[0].origins[0].__class__(headings=("No",))},
        ignore=("memo",),
    )  # fmt: skip
    content = b"No,unit,time,lat,lon,memo\n7,x,2026-01-01T00:00:00Z,37.5,139.9,m\n"
    made = package(content, "log.csv", feed)
    assert made.tables[0].frame.row(0)[:2] == ("7", "市")
    assert [note.en for note in made.notes] == ["Not read: unit"]


def test_a_clock_that_is_ahead_is_measured(package):
    """For each operator by itself, in seconds; the rows are flagged and published."""
    rows = [
        ("P1", "2026-10-31T23:59:50Z", "A"), ("P2", "2026-11-01T00:10:00Z", "B"),
        ("P3", "2026-10-31T23:59:40Z", "C"),
    ]  # fmt: skip
    lines = [f"{one},{at},37.4951,139.9301,{by}\n" for one, at, by in rows]
    made = package(f"{HEAD},operator\n{''.join(lines)}".encode())
    assert [(one.rule, one.severity, one.row) for one in made.problems] == [
        ("future-position", "warning", 3)
    ]
    (note,) = [note.en for note in made.notes if "reception" in note.en]
    assert note.startswith("B: the newest time is 600 s ahead")


@pytest.mark.parametrize(
    ("place", "rule"), [("37.6,139.0", "outside-city"), ("0,0", "no-fix"), (",", None)]
)
def test_one_plough_astray_does_not_hide_the_others(package, aizu, place, rule):
    """In the next town, without a fix, or without any position: told, and the table is valid."""
    good = "".join(f"V{number},2026-11-01T00:00:00Z,37.49,139.93\n" for number in range(19))
    content = f"vehicle,time,lat,lon\n{good}X,2026-11-01T00:00:00Z,{place}\n".encode()
    made = package(content)
    assert [(one.rule, one.severity, one.row) for one in made.problems] == (
        [(rule, "warning", 21)] if rule else []
    )
    assert validate.validate(made, aizu.feeds["snowplow"], aizu).valid


def test_a_feed_of_another_city_is_refused(package, aizu):
    """Where many positions are outside, something else is wrong with it."""
    rows = "".join(f"V{number},2026-11-01T00:00:00Z,35.68,139.76\n" for number in range(19))
    made = package(f"vehicle,time,lat,lon\n{rows}X,2026-11-01T00:00:00Z,37.49,139.93\n".encode())
    assert not made.problems
    verdict = validate.validate(made, aizu.feeds["snowplow"], aizu)
    errors = verdict.report["tasks"][0]["errors"]
    assert {error["type"] for error in errors} == {"outside-city"}
    assert {error["rowNumber"] for error in errors} == set(range(2, 21))


def test_a_log_that_begins_with_the_newest_runs_backwards_nowhere(package):
    """Only the steps against the order of the file are faults."""
    lines = [f"P1,2026-10-31T23:00:{59 - i}Z,37.4951,139.9301\n" for i in range(40)]
    assert package((HEAD + "\n" + "".join(lines)).encode()).problems == []
    lines[10], lines[11] = lines[11], lines[10]
    made = package((HEAD + "\n" + "".join(lines)).encode())
    assert [(one.rule, one.row) for one in made.problems] == [("time-backwards", 13)]


def test_blank_and_short_rows_of_a_log_are_told(package):
    """Blank rows are left out, and the rows below keep their numbers."""
    content = f"{HEAD},task\nP1,2026-10-31T23:00:00Z,37.4951,139.9301\n\n"
    content += "P1,2026-10-31T23:00:20Z,37.4951,139.9301,x\n"
    made = package(content.encode())
    assert [*made.tables[0].row_numbers] == [2, 4]
    assert [(one.rule, one.row, one.column) for one in made.repairs] == [("short-row", 2, "task")]
    assert "1 blank rows left out (rows 3)." in [note.en for note in made.notes]


def test_several_contractors_are_asked_and_kept_in_one_file(aizu, demo_city):
    """None of the addresses is left out, and each position says where it came from."""
    feed = replace(
        aizu.feeds["snowplow"],
        url=f"{demo_city}/plows/positions.geojson",
        addresses={"other": f"{demo_city}/plows/tracker.json"},
    )
    with fetch.polite_session("") as session:
        snapshot = snowplow.fetch(feed, session, None, lambda done, total: None)
    made = snowplow.normalise(snapshot, feed, aizu, lambda name: None)
    assert set(made.tables[0].frame["source"]) == {"positions.geojson", "other.json"}


def test_addresses_that_end_alike_are_all_asked(aizu):
    """The first gives way, since the others have been named in the city file."""
    feed = replace(
        aizu.feeds["snowplow"],
        url="https://a.example/live",
        addresses={"live": "https://b.example"},
    )
    assert feed.all_addresses == {"snowplow": "https://a.example/live", "live": "https://b.example"}


def test_a_damaged_zip_of_polls_is_refused(package):
    """Whatever part of it was damaged on the way."""
    content = bytearray(zips.pack({"1.json": (RECORDINGS / "tracker.json").read_bytes()}))
    content[60] ^= 0xFF
    with pytest.raises(NotTheListError, match="damaged"):
        package(bytes(content), "polls.zip")
