"""Real-time messages in, tables of vehicles, delays and alerts out, looked up in the timetable beside them.

After a wanted change, `AIZU_WRITE_EXPECTED=1 pytest tests/unit/harvesters/test_bus_live.py` writes the
expected files anew; look at the difference before committing it.
"""

import io
import json
import os
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import requests
from click.testing import CliRunner
from google.transit import gtfs_realtime_pb2 as pb

from harvesters import fetch, validate
from harvesters.city import load_city
from harvesters.cli import cli
from harvesters.sources import bus_live

from .conftest import ROOT, alone, snapshot_of
from .test_bus import town, zipped

pytestmark = pytest.mark.usefixtures("settings_env")
RECORDINGS = ROOT / "tests" / "recordings" / "bus-live"
EXPECTED = ROOT / "tests" / "expected" / "bus-live"
SENT_AT = datetime(2026, 11, 2, 23, 0, tzinfo=UTC)
FILES = {path.name: path.read_bytes() for path in sorted(RECORDINGS.glob("*.pb"))}


def sent(content, name="gtfs-realtime.zip", seconds=5):
    """Bytes as if they had been fetched some seconds after they were sent."""
    return replace(snapshot_of(content, name), fetched_at=SENT_AT + timedelta(seconds=seconds))


def timetable(name):
    """What the source of the timetable has brought last."""
    return snapshot_of(zipped(town()), "feed.zip") if name == "bus" else None


def changed(name, change):
    """A recorded message after a change to it."""
    message = pb.FeedMessage.FromString(FILES[name])
    change(message)
    return message.SerializeToString()


@pytest.fixture
def package(aizu):
    """Makes a package of messages, with the timetable at hand unless told otherwise."""

    def make(content, beside=timetable, **options):
        return bus_live.normalise(sent(content, **options), aizu.feeds["bus-live"], aizu, beside)

    return make


def found(package):
    """Rule and severity of every problem."""
    return [(problem.rule, problem.severity) for problem in package.problems]


@pytest.mark.parametrize("name", ["vehicles", "trip_updates", "alerts"])
def test_recorded_messages_become_the_expected_tables(package, aizu, name):
    """A row for each vehicle, each stop of an update, each thing an alert is about; all of it valid."""
    made = package(zipped(FILES))
    verdict = validate.validate(made, aizu.feeds["bus-live"], aizu)
    assert verdict.valid, verdict.report
    assert made.problems == []
    path = EXPECTED / f"{name}.csv"
    if os.environ.get("AIZU_WRITE_EXPECTED"):
        path.write_bytes(verdict.csv[name])
    assert path.read_bytes() == verdict.csv[name]


def test_one_message_may_hold_everything(package):
    """Positions, updates and alerts in one file give the same tables as three files."""
    joined = pb.FeedMessage.FromString(FILES["vehicles.pb"])
    for name in ("trips.pb", "alerts.pb"):
        joined.entity.extend(pb.FeedMessage.FromString(FILES[name]).entity)
    one = package(joined.SerializeToString(), name="all.pb")
    assert [table.rows for table in one.tables] == [
        table.rows for table in package(zipped(FILES)).tables
    ]


def test_a_message_of_one_kind_leaves_the_other_tables_empty(package, aizu):
    """The dataset keeps its form when nothing is said."""
    made = package(FILES["alerts.pb"], name="alerts.pb")
    assert [table.frame.height for table in made.tables] == [0, 0, 2]
    assert validate.validate(made, load_city("aizuwakamatsu").feeds["bus-live"], aizu).valid


def test_the_vehicles_are_a_map_layer(package):
    """With what is known of each; a receiver without reception is nowhere."""
    lost = changed("vehicles.pb", lambda m: setattr(m.entity[1].vehicle.position, "latitude", 0))
    (feature,) = json.loads(package(lost, name="v.pb").layers["vehicles"])["features"]
    assert feature["geometry"]["coordinates"] == [139.9299, 37.5078]
    assert feature["properties"]["vehicle_id"] == "bus-1"
    assert feature["properties"]["speed_kmh"] == 18


@pytest.mark.parametrize(
    ("name", "change", "rule"),
    [
        ("vehicles.pb", lambda m: setattr(m.entity[0].vehicle.trip, "trip_id", "T9"), "E003"),
        ("vehicles.pb", lambda m: setattr(m.entity[0].vehicle.position, "latitude", 36), "E028"),
        ("vehicles.pb", lambda m: setattr(m.entity[1].vehicle.vehicle, "id", "bus-1"), "E052"),
        ("trips.pb", lambda m: setattr(m.entity[0].trip_update.stop_time_update[0], "stop_id", "Z9"), "E011"),
        ("alerts.pb", lambda m: setattr(m.entity[0].alert.informed_entity[0], "route_id", "R9"), "E004"),
    ],
)  # fmt: skip
def test_a_fault_in_one_entity_is_a_warning(package, name, change, rule):
    """One bus with a wrong trip keeps nobody from seeing the others."""
    assert (rule, "warning") in found(package(changed(name, change), name=name))


def test_a_fault_in_the_header_keeps_the_message_back(package):
    """It speaks of everything in the message."""
    bad = changed("vehicles.pb", lambda m: setattr(m.header, "gtfs_realtime_version", "9.9"))
    assert ("E038", "error") in found(package(bad, name="vehicles.pb"))


def test_old_messages_and_old_positions_are_said(package):
    """After a minute and a half nobody knows where the bus is."""
    late = found(package(FILES["vehicles.pb"], name="v.pb", seconds=300))
    assert {("W008", "warning"), ("stale_vehicle_position", "warning")} <= set(late)


def test_without_a_timetable_nothing_is_looked_up_and_that_is_said(package):
    """A position is then expected inside the city."""
    made = package(zipped(FILES), beside=alone)
    assert any("時刻表（bus）がまだない" in note.ja for note in made.notes)
    far = changed("vehicles.pb", lambda m: setattr(m.entity[0].vehicle.position, "latitude", 36))
    assert ("E028", "warning") in found(package(far, beside=alone, name="v.pb"))


def test_a_timetable_that_cannot_be_read_is_said(package):
    """The live data does not wait for it."""
    made = package(zipped(FILES), beside=lambda name: snapshot_of(b"", "feed.zip"))
    assert any("前回の時刻表が読めない" in note.ja for note in made.notes)
    assert made.problems == []


def test_several_addresses_are_joined_byte_for_byte_alike(aizu, demo_city):
    """Equal messages give one equal snapshot; each is found in it under its name."""
    feed = replace(
        aizu.feeds["bus-live"],
        url=f"{demo_city}/bus/gtfs-jp.zip",
        addresses={"again": f"{demo_city}/bus/gtfs-jp.zip"},
    )
    with fetch.polite_session("") as session:
        first, second = (bus_live.fetch(feed, session, None, lambda *_: None) for _ in range(2))
    assert first.content == second.content
    assert first.filename == "gtfs-realtime.zip"
    with zipfile.ZipFile(io.BytesIO(first.content)) as archive:
        assert archive.namelist() == ["gtfs-jp.pb", "again.pb"]
        assert archive.read("again.pb") == requests.get(feed.url, timeout=5).content


@pytest.mark.parametrize(
    ("content", "ja"),
    [
        (b"", "空です"),
        (b"<html>503</html>", "ウェブページ（HTML）"),
        (b"not protobuf", "別の形式のファイル"),
        (FILES["vehicles.pb"][:-3], "途中で切れているか壊れています"),
        (zipped({"vehicles.pb": FILES["vehicles.pb"], "trips.pb": b"{}"}), "trips.pb は GTFS-Realtime ではなく JSON"),
    ],
    ids=["empty", "page", "text", "cut", "part"],
)  # fmt: skip
def test_what_is_no_message_is_refused_by_name(tmp_path, content, ja):
    """One line with the file's name; exit code 1."""
    path = tmp_path / "live.pb"
    path.write_bytes(content)
    result = CliRunner().invoke(cli, ["validate", "bus-live", "--from", str(path)])
    assert result.exit_code == 1
    (told,) = result.stderr.splitlines()
    assert "live.pb" in told
    assert ja in told


def test_the_simulated_city_agrees_with_its_timetable(settings_env, demo_city):
    """Three addresses, looked up in the timetable that was fetched before."""
    settings_env.setenv("AIZU_CITY_URL", demo_city)
    assert CliRunner().invoke(cli, ["fetch", "bus"]).exit_code == 0
    result = CliRunner().invoke(cli, ["validate", "bus-live"])
    assert result.exit_code == 0, result.output
    assert "3 表" in result.output
    assert "時刻表（bus）がまだない" not in result.output
