"""`aizu check`: which standard dataset a list is, how far it fulfils it, and the corrected copy.

After a wanted change, `AIZU_WRITE_EXPECTED=1 pytest tests/unit/harvesters/test_check.py` writes the
expected copies and answers; read them before committing.
"""

import csv
import io
import json
import os
from html.parser import HTMLParser

import pytest
from click.testing import CliRunner

from harvesters import intake
from harvesters.cli import cli
from harvesters.standards import checking, forms
from harvesters.standards.corrected import correct
from harvesters.standards.definitions import standards
from harvesters.standards.ranking import rank

from .conftest import ROOT

RECORDINGS = ROOT / "tests" / "recordings" / "standards"
EXPECTED = ROOT / "tests" / "expected" / "standards"
REAL = ROOT.parent / "shared" / "data"
HYDRANTS = ROOT / "tests" / "recordings" / "hydrant"
LISTS = {
    "aed-2017.csv": "aed",
    "care-2017.csv": "care_service",
    "hydrants-renamed.csv": "fire_hydrant",
    "toilets.csv": "public_toilet",
    "toilets-linkdata.csv": "public_toilet",
}
OTHERS = ["births.csv", "labels.csv", "shops.csv"]


@pytest.fixture
def aizu(monkeypatch):
    """Runs the command in Japanese."""
    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")
    return lambda *words: CliRunner().invoke(cli, [str(word) for word in words])


def kept(name, text):
    """What is checked in, written anew where it is asked for."""
    path = EXPECTED / name
    if os.environ.get("AIZU_WRITE_EXPECTED"):
        path.write_text(text, encoding="utf-8", newline="")
    return path.read_bytes().decode("utf-8")


@pytest.mark.parametrize(("name", "dataset"), LISTS.items())
def test_the_answer(aizu, name, dataset):
    """Dataset, score and every reason of a recording."""
    answer = aizu("check", RECORDINGS / name)
    assert answer.exit_code == 0
    assert answer.stdout == kept(name.replace(".csv", ".txt"), answer.stdout)
    report = json.loads(aizu("check", RECORDINGS / name, "--json").stdout)
    assert report["dataset"]["name"] == dataset


@pytest.mark.parametrize("name", LISTS)
def test_the_corrected_copy(aizu, tmp_path, name):
    """The standard's columns in its order, values in its forms, UTF-8 with a byte order mark."""
    copy = tmp_path / "copy.csv"
    assert aizu("check", RECORDINGS / name, "--fixed", copy).exit_code == 0
    assert copy.read_bytes().startswith(b"\xef\xbb\xbf")
    text = copy.read_bytes().decode("utf-8-sig")
    assert text == kept(name.replace(".csv", ".fixed.csv"), text)
    headings = next(csv.reader(io.StringIO(text)))
    columns = [column.name for column in standards()[LISTS[name]].columns]
    assert headings[: len(columns)] == columns


@pytest.mark.parametrize("name", LISTS)
def test_a_corrected_copy_has_nothing_left_to_correct(aizu, tmp_path, name):
    """Checked again it is the same dataset, not worse, and --fixed would change no value."""
    before = json.loads(aizu("check", RECORDINGS / name, "--json").stdout)
    copy = tmp_path / "copy.csv"
    aizu("check", RECORDINGS / name, "--fixed", copy)
    after = json.loads(aizu("check", copy, "--json", "--fixed", tmp_path / "second.csv").stdout)
    assert after["dataset"]["name"] == before["dataset"]["name"]
    assert after["score"] >= before["score"]
    assert after["changed"]["repairs"] == []


@pytest.mark.parametrize("name", LISTS)
def test_nothing_is_changed_in_silence(name):
    """Every value of the copy is one of the list, or stands among the repairs with what it was."""
    checked = checking.check(RECORDINGS / name)
    corrected = correct(checked.assessment)
    given = {cell for row in checked.sheet.rows for cell in row}
    told = {repair.after for repair in corrected.repairs}
    joined = {a + b for row in checked.sheet.rows for a in row for b in row}
    halves = {half for cell in given for half in cell.split(",")}
    for row in corrected.rows:
        assert set(row) <= given | told | joined | halves | {""}
    kept_whole = [len(corrected.rows), {len(row) for row in corrected.rows}]
    assert kept_whole == [len(checked.sheet.rows), {len(corrected.headings)}]


@pytest.mark.parametrize("name", OTHERS)
def test_none_of_them(aizu, name):
    """A list of shops, figures, and a dictionary of labels are no dataset of the standard."""
    answer = aizu("check", RECORDINGS / name)
    assert answer.exit_code == 1
    assert "どれでもありません" in answer.stderr
    report = json.loads(aizu("check", RECORDINGS / name, "--json").stdout)
    assert (report["dataset"], report["score"], report["reasons"]) == (None, None, [])


def test_no_copy_of_what_is_none_of_them(aizu, tmp_path):
    """There is nothing to correct it to."""
    copy = tmp_path / "copy.csv"
    assert aizu("check", RECORDINGS / "shops.csv", "--fixed", copy).exit_code == 1
    assert not copy.exists()


def test_a_file_that_is_there_is_never_replaced(aizu, tmp_path):
    """Not by its own copy, either; nothing is written."""
    there = tmp_path / "there.csv"
    there.write_bytes((RECORDINGS / "toilets.csv").read_bytes())
    answer = aizu("check", there, "--fixed", there)
    assert answer.exit_code == 2
    assert "もうあります" in answer.stderr
    assert there.read_bytes() == (RECORDINGS / "toilets.csv").read_bytes()


def test_in_english(monkeypatch):
    """The locale decides."""
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    answer = CliRunner().invoke(cli, ["check", str(RECORDINGS / "toilets.csv")])
    assert "Public toilets (公衆トイレ一覧, standard dataset 13)" in answer.stdout
    assert "score 100 of 100" in answer.stdout


def test_the_page(aizu, tmp_path):
    """Holds the score, marks the values, and lets nothing of the file act as HTML."""
    text = (RECORDINGS / "toilets.csv").read_text(encoding="utf-8-sig")
    file, page = tmp_path / "t.csv", tmp_path / "page.html"
    file.write_text(text.replace("00:00", "<script>alert(1)</script>", 1), encoding="utf-8-sig")
    assert aizu("check", file, "--html", page).exit_code == 0
    written = page.read_text(encoding="utf-8")
    assert "公衆トイレ一覧" in written
    assert "<mark>&lt;script&gt;" in written
    assert "<script" not in written
    HTMLParser().feed(written)


def test_what_cannot_be_read_is_refused_by_name(aizu, tmp_path):
    """A web page in place of the list."""
    page = tmp_path / "error.csv"
    page.write_text("<!doctype html><title>Not found</title>", encoding="utf-8")
    answer = aizu("check", page)
    assert answer.exit_code == 1
    assert answer.stderr.startswith("error.csv: ")


def sheet_of(*rows):
    """A sheet from rows."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return intake.read(text.getvalue().encode())


def test_every_dataset_is_recognised_by_its_own_headings():
    """A list with all columns of a dataset is that dataset, also with the older names of them."""
    for standard in standards().values():
        names = [column.name for column in standard.columns]
        older = [
            next((one.headings[0] for one in column.origins if len(one.headings) == 1), column.name)
            for column in standard.columns
        ]
        rows = [[f"値{row}" for _ in names] for row in range(3)]
        assert rank(sheet_of(names, *rows))[0].standard.name == standard.name
        if len(set(older)) == len(older) and standard.name != "public_facility":
            found = [one.standard.name for one in rank(sheet_of(older, *rows))]
            assert standard.name in found[:2], standard.name


@pytest.mark.parametrize(
    ("kind", "value", "after"),
    [
        ("municipality-code", "72028", "072028"),
        ("municipality-code", "07202", "072028"),
        ("town-id", "1000", "0001000"),
        ("phone", "０２４２−３９ー１１１１", "0242-39-1111"),
        ("postal-code", "〒９６５－８６０１", "965-8601"),
        ("date", "令和８年１１月１日", "2026-11-01"),
        ("date", "2026/11/1", "2026-11-01"),
        ("time", "午後3時", "15:00"),
        ("time", "9:30", "09:30"),
        ("time", "25:10", "25:10"),
        ("weekdays", "月曜日～金曜日", "月火水木金"),
        ("weekdays", "土～月", "土日月"),
        ("weekdays", "月、水", "月水"),
        ("weekdays", "平日", "月火水木金"),
        ("yes-no", "○", "有"),
        ("yes-no", "なし", "無"),
        ("flag", "○", "1"),
        ("flag", "×", ""),
        ("kana", "ｱｲﾂﾞ ﾜｶﾏﾂ", "アイヅ ワカマツ"),
        ("kana", "つるがじょう", "ツルガジョウ"),
        ("count", "1,234人", "1234"),
        ("amount", "￥１，０００", "1000"),
        ("latitude", "37度29分21.48秒", "37.4893"),
        ("url", " https://example.jp/ ", "https://example.jp/"),
    ],
)
def test_forms_that_are_mended(kind, value, after):
    """Only what is certain, and it is told as a repair with a name."""
    if value == after:
        assert forms.faults(kind, [value], [2]) == []
        return
    [fault] = forms.faults(kind, [value], [2])
    assert (fault.after, fault.mended, fault.row) == (after, True, 2)
    assert checking.rule_name(fault.rule).ja


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("date", "2026年13月1日"),
        ("time", "午後12時"),
        ("phone", "なし（窓口へ）"),
        ("yes-no", "一部"),
        ("weekdays", "第1・第3土曜日以外"),
        ("latitude", "0"),
        ("longitude", "39.9292"),
        ("municipality-code", "会津若松市"),
        ("url", "www.example.jp"),
        ("email", "opendata@"),
        ("count", "約30"),
    ],
)
def test_forms_that_nobody_can_be_sure_of(kind, value):
    """They stay as they are, and are named."""
    [fault] = forms.faults(kind, [value], [2])
    assert (fault.after, fault.mended) == (value, False)


def test_swapped_positions_are_named_and_turned():
    """In the rows where they are, and in no other."""
    rows = [
        ["名称", "SSID", "緯度", "経度"],
        ["例", "a", "139.93", "37.49"],
        ["別", "b", "37.48", "139.92"],
    ]
    sheet = sheet_of(*rows)
    found = checking.assess(sheet, b"", rank(sheet)[0])
    [reason] = [one for one in found.reasons if one.rule == "swapped-coordinates"]
    assert [fault.row for fault in reason.faults] == [2]
    places = [correct(found).headings.index(name) for name in ("緯度", "経度")]
    turned = [[row[place] for place in places] for row in correct(found).rows]
    assert turned == [["37.49", "139.93"], ["37.48", "139.92"]]


@pytest.mark.parametrize("name", ["standard.csv", "layout-2017.csv", "city-layout.csv"])
def test_hydrants_of_the_descriptor(name):
    """The descriptor of our own dataset is the definition: it is not repeated."""
    assert checking.check(HYDRANTS / name).assessment.candidate.standard.name == "fire_hydrant"


def test_own_columns_without_a_heading_are_not_lost():
    """They stand behind under the number of their place."""
    sheet = sheet_of(
        ["名称", "SSID", "", "提供エリア"], ["例", "a", "消えない", "広場"], ["別", "b", "", "駅"]
    )
    corrected = correct(checking.assess(sheet, b"", rank(sheet)[0]))
    assert corrected.headings[-1] == "3 列目"
    assert [row[-1] for row in corrected.rows] == ["消えない", ""]


def test_every_dataset_is_in_the_docs():
    """By name, number and title; the page says how complete each is."""
    page = (ROOT / "docs" / "check.md").read_text(encoding="utf-8")
    for one in standards().values():
        assert f"{one.name} {one.title.ja}" in page
    assert f"the {len(standards())} datasets" in page


@pytest.mark.skipif(not REAL.is_dir(), reason="the real lists (../shared/data) are not here")
def test_all_real_lists():
    """Dataset, what came close, and score of each, as checked in after a look at every one."""
    lines = ["file,dataset,close,score"]
    for folder in ("municipal-csv", "hydrants", "library"):
        for path in sorted((REAL / folder).glob("*.csv")):
            try:
                checked = checking.check(path)
            except checking.NotTheListError:
                lines.append(f"{path.name},refused,,")
                continue
            found = checked.assessment
            second = checking.runner_up(checked.ranked)
            lines.append(
                f"{path.name},{found.candidate.standard.name if found else 'none'},"
                f"{second.standard.name if second else ''},{found.score if found else ''}"
            )
            if found:
                assert len(correct(found).rows) == len(checked.sheet.rows)
    text = "\n".join([*lines, ""])
    assert text == kept("real_files.csv", text)


def test_two_columns_with_one_heading_are_told(aizu, tmp_path):
    """The list could not be published: nobody knows which of the two is meant."""
    file = tmp_path / "list.csv"
    lines = (RECORDINGS / "toilets.csv").read_bytes().decode("utf-8-sig").splitlines()
    first = lines[0].split(",")[0]
    file.write_text(
        "\n".join([f"{lines[0]},{first}", *(f"{line},x" for line in lines[1:])]), encoding="utf-8"
    )
    told = aizu("check", file).stdout
    assert f"同じ見出しの列があります: {first}" in told
