"""Timetables and messages that real operators published, and feeds with faults, where they are there.

tests/expected/bus/real_files.csv states for each whether it is read, and everything that is found.
"""

import csv
from collections import Counter
from datetime import UTC, date, datetime

import pytest
from google.protobuf import json_format
from google.protobuf.message import DecodeError
from google.transit import gtfs_realtime_pb2 as pb

from harvesters.gtfs import NotAFeedError, Severity, check, check_realtime

from .conftest import ROOT, zipped

BUSES = ROOT.parent / "shared" / "data" / "buses"
EXPECTED = ROOT / "tests" / "expected" / "bus" / "real_files.csv"
COLUMNS = ["file", "verdict", "tables", "rows", "errors", "warnings", "infos", "findings"]
DAY = date(2019, 6, 1)
"""Most of the Japanese feeds were in force then."""
MOMENT = datetime(2023, 11, 8, 1, 5, 59, tzinfo=UTC)
BASE = "tl_layers_base"
TIMETABLES = {
    "bart-alerts.pb": "gtfs-rt/bart-rt.zip",
    "bart-trip-updates.pb": "gtfs-rt/bart-rt.zip",
    "bullrunner-vehicle-positions": "bullrunner-gtfs.zip",
}

with EXPECTED.open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file))


def content_of(name):
    """A zip as it is; a folder zipped, an overlay on top of the feed that it spoils."""
    path = BUSES / name
    if path.is_file():
        return path.read_bytes()
    folders = [BUSES / BASE, path] if path.parent.name == "tl_layers_errors" else [path]
    return zipped(
        {
            part.name: part.read_bytes()
            for folder in folders
            for part in sorted(folder.iterdir())
            if part.suffix in {".txt", ".geojson"} and part.name != "expect_errors.txt"
        }
    )


def message_of(name):
    """Protobuf as it is; its JSON form as protobuf."""
    content = (BUSES / name).read_bytes()
    if not name.endswith(".json"):
        return content
    message = json_format.Parse(content, pb.FeedMessage(), ignore_unknown_fields=True)
    return message.SerializePartialToString()


def sent_at(content):
    """The moment of the message itself, since it was fetched then; for all others one moment."""
    try:
        stamp = pb.FeedMessage.FromString(content).header.timestamp
    except DecodeError:
        return MOMENT
    return datetime.fromtimestamp(stamp, UTC) if 1e9 < stamp < 1e10 else MOMENT


def stated(name):
    """The row of the table for one file."""
    try:
        if name.startswith("gtfs-rt/") and not name.endswith(".zip"):
            return row_of_message(name)
        feed = check(content_of(name), name, today=DAY)
    except NotAFeedError as refused:
        return dict.fromkeys(COLUMNS, "") | {"file": name, "verdict": f"refused: {refused.reason}"}
    sizes = [frame.height for frame in feed.tables.values()]
    return row(name, len(sizes), sum(sizes), feed.findings)


def row_of_message(name):
    """Positions, stops of updates and alerts are the rows."""
    content = message_of(name)
    known = TIMETABLES.get(name.removeprefix("gtfs-rt/"))
    feed = check(content_of(known), known, today=DAY) if known else None
    message = check_realtime(content, name, now=sent_at(content), feed=feed)
    sizes = [message.positions.height, message.trip_updates.height, message.alerts.height]
    return row(name, sum(map(bool, sizes)), sum(sizes), message.findings)


def row(name, tables, rows, findings):
    """Everything that is found, by severity and rule."""
    counts = Counter()
    for place, count in findings.counts.items():
        counts[findings.severity(*place).value, place[0]] += count
    shown = "; ".join(f"{severity} {rule} {n}" for (severity, rule), n in sorted(counts.items()))
    totals = [findings.total(severity) for severity in Severity]
    values = [name, "read", tables, rows, *totals, shown]
    return dict(zip(COLUMNS, map(str, values), strict=True))


@pytest.mark.skipif(not BUSES.is_dir(), reason="the real feeds (../shared/data/buses) are not here")
@pytest.mark.parametrize("expected", ROWS, ids=[row["file"] for row in ROWS])
def test_a_real_file_is_read_or_refused_as_stated(expected):
    """Tables, rows, and findings by name and severity."""
    assert stated(expected["file"]) == expected


def test_the_japanese_extension_causes_no_error():
    """Errors in Japanese feeds are in tables that all feeds have, and are faults there, too."""
    for row in ROWS:
        if row["file"].startswith("jp_"):
            found = [one.split() for one in row["findings"].split("; ")]
            errors = {rule for severity, rule, _ in found if severity == "ERROR"}
            assert errors <= {"duplicate_key", "missing_required_column"}, row["file"]


@pytest.mark.parametrize(
    ("file", "rule"),
    [
        ("transitfeed_bad_date_format", "invalid_date"),
        ("transitfeed_bad_utf8", "invalid_character"),
        ("transitfeed_contains_null", "invalid_character"),
        ("transitfeed_duplicate_schedule_id", "duplicate_key"),
        ("transitfeed_duplicate_stop_sequence", "duplicate_key"),
        ("transitfeed_empty_file", "empty_file"),
        ("transitfeed_extra_row_cells", "invalid_row_length"),
        ("transitfeed_invalid_agency_ids", "missing_required_field"),
        ("transitfeed_missing_calendar", "missing_calendar_and_calendar_date_files"),
        ("transitfeed_missing_column", "missing_required_column"),
        ("transitfeed_missing_departure_time", "stop_time_with_only_arrival_or_departure_time"),
        ("transitfeed_missing_row_cells", "invalid_row_length"),
        ("transitfeed_missing_stop_times", "missing_required_file"),
        ("transitfeed_negative_stop_sequence", "number_out_of_range"),
        ("transitfeed_undefined_stop", "foreign_key_violation"),
        ("transitfeed_unknown_file", "unknown_file"),
        ("transitfeed_unrecognized_columns", "unknown_column"),
        ("transitfeed_utf16", "wrong_encoding"),
        ("transitfeed_bad_eol.zip", "wrong_line_ending"),
        ("gtfsvtor_bad_coords", "number_out_of_range"),
        ("gtfsvtor_bogus_calendars", "service_has_no_active_day_of_the_week"),
        ("gtfsvtor_duplicate_ids", "duplicate_key"),
        ("gtfsvtor_space_header", "leading_or_trailing_whitespaces"),
        ("gtfsvtor_timetravels", "stop_time_with_arrival_before_previous_departure_time"),
        ("gtfsvtor_toofast_travel", "fast_travel_between_consecutive_stops"),
    ],
)
def test_a_broken_feed_is_reported_with_its_fault(file, rule):
    """The folder's name says what is wrong."""
    (found,) = [row["findings"] for row in ROWS if row["file"] == file]
    assert f" {rule} " in found
