"""Timetables as operators zip them in, the expected tables, layers and problems out.

After a wanted change, `AIZU_WRITE_EXPECTED=1 pytest tests/unit/harvesters/test_bus.py` writes the expected
files anew; look at the difference before committing it.
"""

import io
import json
import os
import zipfile
from dataclasses import replace
from datetime import datetime

import pytest
from click.testing import CliRunner

from harvesters import validate
from harvesters.cli import cli
from harvesters.fetch import read_file
from harvesters.original import name_and_type
from harvesters.sources import bus

from .conftest import ROOT, alone, snapshot_of

pytestmark = pytest.mark.usefixtures("settings_env")
TOWN = ROOT / "tests" / "recordings" / "bus" / "town"
EXPECTED = ROOT / "tests" / "expected" / "bus"
REAL = ROOT.parent / "shared" / "data" / "buses"
SMALL_FEEDS = (
    "jp_077434.zip",
    "jp_401005_shieitosengtfs.zip",
    "jp_siminbus20190401.zip",
    "jp_town_nyuzen_noran_gtfs.zip",
    "jp_toyamacityfeedergtfs20190415.zip",
    "jp_toyohashitetsudou.zip",
)


def zipped(files):
    """A zip as a program of an operator would write it."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in files.items():
            archive.writestr(name, part)
    return content.getvalue()


def town(**changed):
    """The recorded timetable, some of its tables with other bytes or, for None, left out."""
    files = {path.name: path.read_bytes() for path in sorted(TOWN.glob("*.txt"))}
    files |= {f"{name}.txt": content for name, content in changed.items()}
    return {name: content for name, content in files.items() if content is not None}


def edited(name, old, new):
    """The recorded timetable with one text replaced in one table."""
    text = town()[f"{name}.txt"].decode()
    assert old in text
    return town(**{name: text.replace(old, new).encode()})


class InItsTime(datetime):
    """A day on which the recorded timetable is in force."""

    @classmethod
    def now(cls, tz=None):
        """The first of November 2026."""
        return cls(2026, 11, 1, 12, tzinfo=tz)


@pytest.fixture
def in_its_time(monkeypatch):
    """Whatever day it is: a timetable that has run out is told so."""
    monkeypatch.setattr("harvesters.gtfs.feed.datetime", InItsTime)


@pytest.fixture
def package(aizu):
    """Makes a package of the files of a timetable."""

    def make(files):
        return bus.normalise(snapshot_of(zipped(files), "feed.zip"), aizu.feeds["bus"], aizu, alone)

    return make


@pytest.fixture
def run(tmp_path):
    """Validates a file as a clerk does, and looks at the exit code."""

    def validated(content, *options, expect=0, name="feed.zip"):
        path = tmp_path / name
        path.write_bytes(content)
        result = CliRunner().invoke(cli, ["validate", "bus", "--from", str(path), *options])
        assert result.exit_code == expect, result.output
        return result

    return validated


def agrees(name, content):
    """Whether the expected file says the same; writes it instead when asked to."""
    path = EXPECTED / name
    if os.environ.get("AIZU_WRITE_EXPECTED"):
        path.write_bytes(content)
    return path.read_bytes() == content


@pytest.mark.usefixtures("in_its_time")
def test_a_recorded_timetable_becomes_the_expected_tables(package, aizu):
    """Every table that is there, in the order of a reader, typed, with keys; valid without findings."""
    made = package(town())
    verdict = validate.validate(made, aizu.feeds["bus"], aizu)
    assert verdict.valid, verdict.report
    assert made.problems == []
    told = {
        table.name: {
            "title": table.title,
            "rows": table.frame.height,
            "key": table.key,
            "fields": {field.name: field.type for field in table.fields},
            "notes": [note.ja for note in table.notes],
        }
        for table in made.tables
    }
    text = json.dumps(told, ensure_ascii=False, indent=1) + "\n"
    assert agrees("town.json", text.encode())
    for name in ("stops", "stop_times", "calendar"):
        assert agrees(f"town.{name}.csv", verdict.csv[name])


def test_the_tables_of_the_extension_come_last(package):
    """People look for stops, routes and trips."""
    names = [table.name for table in package(town()).tables]
    assert names[:6] == ["stops", "routes", "trips", "stop_times", "calendar", "calendar_dates"]
    assert names[-3:] == ["agency_jp", "office_jp", "pattern_jp"]


def test_stops_and_lines_are_map_layers(package):
    """Where there are any."""
    layers = package(town()).layers
    assert [*layers] == ["stops", "shapes"]
    stops = json.loads(layers["stops"])["features"]
    assert stops[0]["geometry"]["coordinates"] == [139.93, 37.5078]
    assert [*package(town(shapes=None, trips=TRIPS_WITHOUT_LINES)).layers] == ["stops"]


TRIPS_WITHOUT_LINES = b"route_id,service_id,trip_id\nR1,WD,T1\nR1,WD,T2\nR1,HD,T3\nR2,WD,T4\n"


def test_the_zip_stays_a_zip_whatever_the_server_calls_it():
    """The original is passed on byte for byte, and opens as what it is."""
    snapshot = snapshot_of(zipped(town()), "download.php")
    assert name_and_type(snapshot, "gtfs") == ("download.zip", "application/zip")


@pytest.mark.parametrize(
    ("name", "old", "new", "column", "kind"),
    [
        ("shapes", "139.9262", "139度", "shape_pt_lon", "string"),
        ("calendar", "20280331", "2028/3/31", "end_date", "string"),
        ("routes", "温泉線", "温泉本線", "route_type", "integer"),
        ("stops", "37.4904", "+37.4904", "stop_lat", "number"),
        ("stops", "37.4904", "3.74904e1", "stop_lat", "string"),
    ],
)
def test_a_column_with_a_value_of_another_kind_is_text(package, name, old, new, column, kind):
    """No value is lost for the sake of a type, and the change is said."""
    if name == "calendar":
        old = town()["calendar.txt"].decode().splitlines()[1].split(",")[-1]
    made = package(edited(name, old, new))
    (table,) = [table for table in made.tables if table.name == name]
    (field,) = [field for field in table.fields if field.name == column]
    assert field.type == kind
    assert any(column in note.ja for note in table.notes) == (kind == "string")
    assert kind == "integer" or any(new in text for text in table.frame[column])


def test_an_unknown_column_is_kept_and_an_impossible_name_is_told(package):
    """A column that nobody knows is published as text; one that no database takes is not."""
    made = package(edited("levels", "level_id,", "level_id,colour,_x,"))
    (levels,) = [table for table in made.tables if table.name == "levels"]
    assert [field.name for field in levels.fields][:2] == ["level_id", "colour"]
    assert "_x" not in levels.frame.columns
    assert any("_x" in note.en for note in levels.notes)


def test_a_key_that_is_not_one_is_none(package):
    """Twins are a finding of the timetable, once, and not of the schema again."""
    made = package(edited("levels", "L2,", "L1,"))
    (levels,) = [table for table in made.tables if table.name == "levels"]
    assert levels.key == ()
    assert [one.rule for one in made.problems if one.table == "levels"] == ["duplicate_key"]


def test_an_error_keeps_the_timetable_from_being_published(run):
    """Table, row, column, value and what to do, in the language of the locale; exit code 1."""
    result = run(
        zipped(edited("stop_times", "T1,8:10:00,8:11:00,B1", "T1,8:10:00,8:11:00,Z9")), expect=1
    )
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("stop_times 3")]
    assert line.split()[2:4] == ["stop_id", "Z9"]
    assert "stops.txt stop_id にありません" in line


@pytest.mark.usefixtures("in_its_time")
def test_a_warning_is_shown_and_lets_the_timetable_pass(run):
    """Once for each rule, with the number of the others."""
    files = town(shapes=town()["shapes.txt"] + b"H2,37.48,139.94,1,\nH2,37.47,139.95,2,\n")
    output = run(zipped(files)).output
    assert "問題ありません、注意 1 件" in output
    assert "どの便も使わない線です" in output


def test_thousands_of_one_kind_are_counted(run):
    """A hundred are listed; the number is that of all."""
    times = town()["shapes.txt"] + b"".join(b"H1,x,139.9,%d,\n" % n for n in range(10, 1010))
    result = run(zipped(town(shapes=times)), expect=1)
    assert "1,000 件の誤り" in result.stderr


def test_json_is_the_report_for_machines(run):
    """A task for each table; what the timetable's own checks found stands in it."""
    files = edited("stop_times", "T1,8:10:00,8:11:00,B1", "T1,8:10:00,8:11:00,Z9")
    report = json.loads(run(zipped(files), "--json", expect=1).stdout)
    tasks = {task["name"]: task for task in report["tasks"]}
    assert [error["type"] for error in tasks["stop_times"]["errors"]] == ["foreign_key_violation"]
    assert tasks["stops"]["valid"]


def test_another_citys_timetable_is_noticed(run):
    """No stop lies in the city; some may lie outside it."""
    stops = town()["stops.txt"].decode()
    far = stops.replace("37.5", "36.5").replace("37.4", "36.4").encode()
    shapes = town()["shapes.txt"].decode().replace("37.", "36.").encode()
    assert "ほかの街の時刻表" in run(zipped(town(stops=far, shapes=shapes))).output


@pytest.mark.parametrize(
    ("content", "ja", "en"),
    [
        (b"", "空です", "is empty"),
        (b"<!DOCTYPE html><title>503</title>", "ウェブページ（HTML）", "a web page (HTML)"),
        (b"stop_id,stop_name\n1,x\n", "別の形式のファイル", "another kind of file"),
        (zipped({"stops.txt": b"stop_id\n"})[:40], "途中で切れているか壊れています", "cut off or damaged"),
        (zipped({"readme.md": b"x"}), "表（stops.txt、stop_times.txt など）がありません", "no GTFS table"),
        (zipped({"stops.txt": b"", "routes.txt": b"\n"}), "表はどれも空です", "are empty"),
        (zipped({"a.txt": b"0" * 3_000_000, "stops.txt": b"x"}), "倍に膨らむ", "grows"),
        (zipped({"../stops.txt": b"x"}), "展開先の外", "out of its folder"),
        (
            zipped({f"{n}/{name}": part for n in "ab" for name, part in town().items()}),
            "#a",
            "#a",
        ),
    ],
    ids=["empty", "page", "csv", "cut", "other", "blank", "bomb", "path", "two"],
)  # fmt: skip
def test_what_is_no_timetable_is_refused_by_name(run, settings_env, content, ja, en):
    """One line with the file's name, what came and what to do; exit code 1 in both languages."""
    told = run(content, expect=1).stderr.splitlines()
    assert len(told) == 1
    assert told[0].count("feed.zip") == 1
    assert ja in told[0]
    settings_env.setenv("LC_ALL", "en_US.UTF-8")
    assert en in run(content, expect=1).stderr


def test_one_of_several_timetables_is_chosen_by_the_address(aizu):
    """What follows # names the folder or the inner zip."""
    both = zipped({"a/x.zip": zipped(town()), "b/x.zip": zipped(town(shapes=None))})
    snapshot = snapshot_of(both, "all.zip")
    chosen = replace(snapshot, url="https://bus.example.jp/all.zip#a/x.zip")
    names = [table.name for table in bus.normalise(chosen, aizu.feeds["bus"], aizu, alone).tables]
    assert "shapes" in names


@pytest.mark.skipif(not REAL.is_dir(), reason="the real feeds (../shared/data/buses) are not here")
@pytest.mark.parametrize("file", SMALL_FEEDS)
def test_a_real_timetable_is_published_as_it_is(aizu, file):
    """The types of its columns hold for every value; only warnings are found."""
    made = bus.normalise(read_file(REAL / file), aizu.feeds["bus"], aizu, alone)
    verdict = validate.validate(made, aizu.feeds["bus"], aizu)
    assert verdict.valid, verdict.report
    assert {problem.severity for problem in made.problems} <= {"warning"}
    assert {field.type for table in made.tables for field in table.fields} >= {"number", "date"}


def test_the_simulated_city_offers_a_good_timetable(settings_env, demo_city):
    """Fetched, read and valid, without a portal."""
    settings_env.setenv("AIZU_CITY_URL", demo_city)
    result = CliRunner().invoke(cli, ["validate", "bus"])
    assert result.exit_code == 0, result.output
    assert "15 表" in result.output
    assert result.output.rstrip().endswith("問題ありません")
