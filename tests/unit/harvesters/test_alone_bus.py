"""Timetables and real-time messages judged on their own: known by their bytes, without a schema or a city."""

import io
import json
import zipfile

import openpyxl
import pytest
from click.testing import CliRunner

from harvesters import gtfs
from harvesters.cli import cli

from .conftest import snapshot_of
from .test_bus import edited, town, zipped
from .test_bus_live import FILES

pytestmark = pytest.mark.usefixtures("settings_env")


@pytest.fixture
def validate(tmp_path):
    """Writes a file and runs the command on it."""

    def validated(name, content, *options, expect=0):
        path = tmp_path / name
        path.write_bytes(content)
        result = CliRunner().invoke(cli, ["validate", str(path), *options])
        assert result.exit_code == expect, result.output
        return result

    return validated


def workbook():
    """A workbook, which is a zip, too."""
    content = io.BytesIO()
    openpyxl.Workbook().save(content)
    return content.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("feed.zip", zipped(town()), "timetable"),
        ("download", zipped(town()), "timetable"),
        ("feed.zip", zipped({f"gtfs/{name}": part for name, part in town().items()}), "timetable"),
        ("feed.zip", zipped({"inner.zip": zipped(town())}), "timetable"),
        ("feed.zip", b"<html>503</html>", "timetable"),
        ("vehicles.pb", FILES["vehicles.pb"], "messages"),
        ("vehicles", FILES["alerts.pb"], "messages"),
        ("live.zip", zipped(FILES), "messages"),
        ("vehicles.pb", b"", "messages"),
        ("list.csv", "番号,名称\n1,駅前\n".encode(), ""),
        ("list.csv", b"\nnumber,name\n1,x\n", ""),
        ("list.xlsx", workbook(), ""),
        ("list.zip", workbook(), ""),
        ("map.zip", zipped({"map.shp": b"x", "map.dbf": b"x"}), ""),
    ],
)
def test_the_bytes_say_what_a_file_is(name, content, kind):
    """The name is asked only where the bytes are something else altogether."""
    assert gtfs.kind_of(snapshot_of(content, name)) == kind


def test_a_good_timetable_is_valid(validate):
    """Tables and rows are counted."""
    output = validate("feed.zip", zipped(town())).output
    assert "30 表" in output
    assert output.rstrip().endswith("問題ありません")


def test_a_faulty_timetable_is_told_with_table_row_field_and_value(validate):
    """As a table for people; the exit code tells, too."""
    files = edited("stop_times", "T1,8:10:00,8:11:00,B1", "T1,8:10:00,8:11:00,Z9")
    result = validate("feed.zip", zipped(files), expect=1)
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("stop_times 3")]
    assert line.split()[2:4] == ["stop_id", "Z9"]


def test_a_faulty_message_is_told_with_the_severity_of_the_validator(validate):
    """Alone, an error is one; nothing is looked up."""
    result = validate("vehicles.pb", FILES["vehicles.pb"].replace(b"2.0", b"9.9"), expect=1)
    assert "バージョンは 1.0 か 2.0 です" in result.stderr
    assert "注意" not in result.stderr


def test_json_and_page_are_made_of_a_timetable_too(validate, tmp_path):
    """The faulty cell is marked in the table where it stands."""
    files = zipped(edited("stops", "城前", " 城前"))
    report = json.loads(validate("feed.zip", files, "--json").stdout)
    (finding,) = report["aizu"]["findings"]
    assert [finding[key] for key in ("table", "row", "column", "value", "severity", "rule")] == [
        "stops", 7, "stop_name", " 城前", "warning", "leading_or_trailing_whitespaces"
    ]  # fmt: skip
    page = tmp_path / "page.html"
    validate("feed.zip", files, "--html", str(page))
    text = page.read_text(encoding="utf-8")
    assert '<p class="good">' in text
    assert "注意 1 件" in text
    assert text.count("<mark") == 1


def test_a_broken_zip_is_refused_as_one(validate):
    """Not read as a list of strange letters."""
    content = zipped(town())
    said = validate("feed.zip", content[: len(content) // 2], expect=1).stderr
    assert "途中で切れているか壊れています" in said
    assert zipfile.is_zipfile(io.BytesIO(content))
