"""Any file judged on its own, without a portal: kinds of columns, findings, JSON, page, exit codes."""

import json
from html.parser import HTMLParser

import openpyxl
import pytest
from click.testing import CliRunner
from frictionless import Report

from harvesters import alone
from harvesters.cli import cli

from .conftest import as_csv, numbered

pytestmark = pytest.mark.usefixtures("settings_env")
HEADINGS = ["番号", "名称", "緯度", "日付", "郵便番号"]


class Marked(HTMLParser):
    """The texts that a page marks, and every address it would load something from."""

    def __init__(self):
        super().__init__()
        self.marks, self.loads, self.tags = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.loads += [value for name, value in attrs if name in {"src", "href"}]

    def handle_data(self, data):
        if self.tags[-1:] == ["mark"]:
            self.marks.append(data)

    def handle_endtag(self, tag):
        self.tags.append(f"/{tag}")


def validate(*arguments, expect=0):
    """Runs the command and looks at the exit code."""
    result = CliRunner().invoke(cli, ["validate", *map(str, arguments)])
    assert result.exit_code == expect, result.output
    return result


@pytest.fixture
def listed(tmp_path):
    """Writes 300 rows, some of them with other cells, and says where."""

    def write(**spoilt):
        rows = [
            [str(n), f"消火栓{n}", f"37.{48000 + n}", f"2026-01-{n % 28 + 1:02d}", f"09650{n:02d}"]
            for n in range(1, 301)
        ]
        for place, (column, value) in spoilt.items():
            rows[int(place.removeprefix("row")) - 2][column] = value
        path = tmp_path / "list.csv"
        lines = [",".join(row) for row in [HEADINGS, *rows]]
        path.write_bytes("\r\n".join([*lines, ""]).encode("cp932"))
        return path

    return write


def test_a_good_file_is_valid_and_the_assumed_kinds_are_said(listed):
    """A postal code with a leading zero stays text."""
    output = validate(listed()).output
    assert "300 行（cp932）" in output
    assert "番号: 整数、名称: 文字、緯度: 数値" in output
    assert "郵便番号: 文字" in output
    assert "問題ありません" in output


def test_what_nearly_all_values_are_finds_the_others(listed):
    """Two stray cells, with row and column of the file, and exit code 1."""
    result = validate(listed(row51=(2, "北緯37度"), row61=(3, "2026-02-30")), expect=1)
    rows = [line.split()[:3] for line in result.stderr.splitlines()[1:3]]
    assert rows == [["51", "緯度", "北緯37度"], ["61", "日付", "2026-02-30"]]


def test_a_workbook_is_a_list_too(tmp_path):
    """As it comes from the office, without being saved as CSV first."""
    book = openpyxl.Workbook()
    for row in (["番号", "名称"], [1, "消火栓"], [2, "防火水槽"]):
        book.active.append(row)
    book.save(tmp_path / "list.xlsx")
    output = validate(tmp_path / "list.xlsx").output
    assert "2 行" in output
    assert "番号: 整数、名称: 文字" in output


def test_what_is_mixed_is_text(listed):
    """Five of a hundred are no fault but another kind of column."""
    spoilt = {f"row{row}": (2, "不明") for row in range(2, 302, 20)}
    assert "緯度: 文字" in validate(listed(**spoilt)).output


def test_json_is_a_report_that_frictionless_reads(listed):
    """Standard output is JSON and nothing else."""
    result = validate(listed(row51=(2, "x")), "--json", expect=1)
    report = json.loads(result.stdout)
    assert report.pop("aizu")["findings"][0]["row"] == 51
    assert Report.from_descriptor(report).flatten(["fieldName", "type"]) == [["緯度", "type-error"]]


@pytest.mark.parametrize(("locale", "said"), [("ja_JP", "誤り 2 件"), ("en_US", "2 errors")])
def test_the_page_marks_the_faulty_cells_and_needs_nothing_else(
    settings_env, listed, tmp_path, locale, said
):
    """One file, in the language of the locale; what comes from the list is text, never HTML."""
    settings_env.setenv("LC_ALL", f"{locale}.UTF-8")
    path = listed(row51=(2, "<script>alert(1)</script>"), row61=(3, "2026-02-30"))
    validate(path, "--html", tmp_path / "page.html", expect=1)
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    page = Marked()
    page.feed(text)
    assert page.marks == ["<script>alert(1)</script>", "2026-02-30"]
    assert page.loads == []
    assert "script" not in page.tags
    assert said in text


def test_by_the_rules_of_a_source_a_file_is_judged_as_before_publishing(tmp_path):
    """The city's bounds and the row bounds, too; nothing is kept."""
    path = tmp_path / "list.csv"
    path.write_bytes(as_csv([*numbered(1200), {"ID": "1201", "緯度": "35.68"}]))
    result = validate(path, "--schema", "hydrant", expect=1)
    assert "位置が市の外です" in result.stderr
    assert not (tmp_path / "var").exists()


def test_swapped_positions_are_found_without_a_schema(listed):
    """A latitude of 139 is none, whatever the other columns are."""
    report = json.loads(validate(listed(row7=(2, "139.92")), "--json", expect=1).stdout)
    assert [(one["row"], one["column"], one["value"]) for one in report["aizu"]["findings"]] == [
        (7, "緯度", "139.92")
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "ファイルが空です"),
        (b'{"vehicles": [{"id": 1}]}', "--schema snowplow"),
        (b'[{"room": "A", "free": 1}]', "--schema library-seats"),
        (b"<html>", "ウェブページ"),
        (b"a,,c\n1,2,3\n", "2 列目に見出しがありません"),
        (b"a,b,a\n1,2,3\n", "見出し「a」が 2 回あります"),
        (b"a,b\n1,2,3\n", "2 行目に 3 個の値があります"),
    ],
)
def test_a_file_that_is_no_table_is_refused_by_name(tmp_path, content, said):
    """Exit code 1, and what to do."""
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    told = validate(path, expect=1).stderr
    assert "list.csv: " in told
    assert said in told


@pytest.mark.parametrize(
    "arguments",
    [
        ("nowhere.csv",),
        ("{file}", "--schema", "unknown"),
        ("{file}", "--from", "x.csv"),
        ("{file}", "--html", "nowhere/page.html"),
        ("hydrant", "--schema", "hydrant"),
        ("hydrant", "--html", "page.html"),
    ],
)
def test_a_wrong_call_is_exit_code_2(listed, arguments):
    """Files and schemas that are not there, and options that do not belong together."""
    assert validate(*(word.format(file=listed()) for word in arguments), expect=2).stderr


def test_a_kind_needs_nearly_all_values():
    """Of a hundred values one may be a fault; of ten none."""
    for stray, of, kind in ((1, 100, "integer"), (2, 100, "string"), (1, 10, "string")):
        values = ["x"] * stray + ["7"] * (of - stray) + [""] * 5
        assert alone._kind(alone.pl.Series(values)) == kind
