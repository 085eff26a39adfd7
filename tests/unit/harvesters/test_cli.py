"""The `aizu` command as a clerk and as cron see it: lines, tables, JSON, exit codes."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from harvesters import jobs, keep, report
from harvesters.cli import cli
from harvesters.words import language

from .conftest import as_csv, hydrants_only, numbered, published

pytestmark = pytest.mark.usefixtures("settings_env")


def aizu(*arguments, expect=0):
    """Runs the command and looks at the exit code."""
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == expect, result.output
    return result


@pytest.fixture
def city(settings_env, demo_city, portal):
    """The demonstration city and the stand-in portal as the settings name them."""
    settings_env.setenv("AIZU_CITY_URL", demo_city)
    settings_env.setenv("AIZU_PORTAL_URL", portal.url)
    settings_env.setenv("AIZU_API_TOKEN", "secret")
    settings_env.setattr(jobs, "load_city", hydrants_only(jobs.load_city))
    return demo_city


ASKED = "aizu_harvest_unchanged"


def told(portal):
    """The calls that were made, but for the question whether the portal has it all already."""
    return [call for call in portal.calls if call[0] != ASKED]


def test_list_shows_what_is_harvested(city):
    """Name, title, office and address."""
    output = aizu("list").output
    assert "hydrant" in output
    assert "消防水利施設一覧" in output
    assert f"{city}/hydrant/" in output


@pytest.mark.usefixtures("city")
def test_fetch_keeps_the_bytes():
    """The last line is the file."""
    path = Path(aizu("fetch", "hydrant").output.splitlines()[-1])
    assert path.read_bytes().startswith("全国地方公共団体コード".encode("cp932"))
    assert "前回と同じ" in aizu("fetch", "hydrant").output


def test_validate_needs_no_portal(settings_env, demo_city):
    """The simulated list is valid, and nothing is published."""
    settings_env.setenv("AIZU_CITY_URL", demo_city)
    output = aizu("validate", "hydrant").output
    assert "1,486 行（cp932）" in output
    assert "問題ありません" in output


def test_validate_prints_frictionless_report_for_machines(tmp_path):
    """Standard output is JSON and nothing else; the exit code is the verdict."""
    path = tmp_path / "list.csv"
    path.write_bytes(as_csv(numbered(1200, 種別="")))
    result = aizu("validate", "hydrant", "--from", str(path), "--json", expect=1)
    report = json.loads(result.stdout)
    assert report["valid"] is False
    assert report["tasks"][0]["errors"][0]["type"] == "constraint-error"
    assert report["aizu"]["findings"][0]["row"] == 2


def test_a_refused_file_is_json_for_machines_too(tmp_path):
    """A page instead of a list is a report with one error."""
    path = tmp_path / "list.csv"
    path.write_bytes(b"<html>")
    result = aizu("validate", "hydrant", "--from", str(path), "--json", expect=1)
    report = json.loads(result.stdout)
    assert (report["valid"], report["errors"][0]["type"]) == (False, "NotTheListError")


def test_a_clerk_sees_a_table_and_no_more_of_it_than_fits(tmp_path):
    """Twenty findings, and how many more there are."""
    path = tmp_path / "list.csv"
    path.write_bytes(as_csv(numbered(1200, 種別="")))
    output = aizu("validate", "hydrant", "--from", str(path), expect=1).stderr
    assert "必須の値がありません" in output
    assert "ほか 980 件" in output


@pytest.mark.usefixtures("city")
def test_run_publishes_and_says_so(portal):
    """All four steps, one line each; the status remembers."""
    output = aizu("run", "hydrant").output
    assert [line.split()[0] for line in output.splitlines()[1:]] == [
        "取得", "正規化", "検証", "公開"
    ]  # fmt: skip
    assert [call[0] for call in portal.calls] == [ASKED, "aizu_publish"]
    (status,) = json.loads(aizu("status", "--json").output)
    assert (status["state"], status["rows"], status["source"]) == ("ok", 1486, "hydrant")
    assert status["last_good"] == status["checked_at"]


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        ("html", 1, "ウェブページ"),
        ("truncated", 1, "途中で切れました"),
        ("encoding", 1, "文字コード"),
        ("missing-column", 1, "必要な列がありません: 経度"),
        ("outside", 1, "市の外"),
        ("500", 3, "故障しています"),
    ],
)
def test_a_bad_source_is_refused_and_the_page_is_told(
    settings_env, city, portal, fault, code, said
):
    """Nothing is published; the reason goes to the clerk, the folder and the dataset's page."""
    aizu("run", "hydrant")
    settings_env.setenv("AIZU_CITY_URL", f"{city}/fault/{fault}")
    assert said in aizu("run", "hydrant", expect=code).stderr
    assert [call[0] for call in told(portal)] == ["aizu_publish", "aizu_harvest_status"]
    assert told(portal)[1][2]["state"] == "failed"
    (status,) = json.loads(aizu("status", "--json").output)
    assert status["state"] == "failed"
    assert status["rows"] == 1486
    assert status["last_good"] <= status["checked_at"]


def test_a_dataset_that_was_never_published_has_no_page_to_tell(settings_env, city, portal):
    """The portal's 404 to the news is no error of its own."""
    settings_env.setenv("AIZU_CITY_URL", f"{city}/fault/html")
    portal.answers["aizu_harvest_status"] = 404, {"error": {"__type": "Not Found Error"}}
    assert "ポータル" not in aizu("run", "hydrant", expect=1).output


@pytest.mark.usefixtures("city")
def test_a_portal_that_is_down_is_exit_code_4(settings_env):
    """The list was good; try again when the portal is back."""
    settings_env.setenv("AIZU_PORTAL_URL", "http://127.0.0.1:9")
    assert "127.0.0.1:9" in aizu("run", "hydrant", expect=4).stderr


@pytest.mark.usefixtures("city")
def test_an_unreachable_source_is_exit_code_3(settings_env):
    """And the portal hears of it."""
    settings_env.setenv("AIZU_CITY_URL", "http://127.0.0.1:9")
    assert "接続できない" in aizu("run", "hydrant", expect=3).stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("run",),
        ("run", "hydrant", "--all"),
        ("run", "--all", "--from", "x.csv"),
        ("run", "unknown"),
        ("run", "hydrant", "--city", "nowhere"),
        ("validate", "hydrant"),
        ("validate", "hydrant", "--from", "nowhere.csv"),
        ("fly",),
    ],
)
def test_a_wrong_call_is_exit_code_2(arguments):
    """Usage, unknown names, a missing setting or file."""
    assert aizu(*arguments, expect=2).stderr


@pytest.mark.parametrize("arguments", [("hydrant",), ("--all",)])
def test_run_without_a_portal_says_where_it_looked(settings_env, tmp_path, demo_city, arguments):
    """One line, before anything is fetched or any folder made."""
    settings_env.setenv("AIZU_CITY_URL", demo_city)
    result = aizu("run", *arguments, expect=2)
    (line,) = result.output.splitlines()
    assert "AIZU_PORTAL_URL" in line
    assert str(tmp_path / "var" / "harvest.env") in line
    assert not (tmp_path / "var").exists()


def test_run_all_without_any_address_is_exit_code_2(settings_env, portal, tmp_path):
    """The feeds are named, nothing is recorded as failed."""
    settings_env.setenv("AIZU_PORTAL_URL", portal.url)
    settings_env.setenv("AIZU_API_TOKEN", "secret")
    settings_env.setattr(jobs, "load_city", hydrants_only(jobs.load_city))
    assert "sources.hydrant.url" in aizu("run", "--all", expect=2).stderr
    assert portal.calls == []
    assert not (tmp_path / "var").exists()


@pytest.fixture
def three(monkeypatch):
    """A city of three datasets: two that are fetched, one that is handed over as a file."""
    of_city = jobs.of_city

    def tripled(*arguments):
        job, *_ = of_city(*arguments)
        return [
            replace(job, folder=keep.folder(job.settings.var, "aizuwakamatsu", "first")),
            replace(job, feed=replace(job.feed, url="")),
            replace(job, folder=keep.folder(job.settings.var, "aizuwakamatsu", "third")),
        ]

    monkeypatch.setattr(jobs, "of_city", tripled)


@pytest.mark.usefixtures("city", "three")
def test_run_all_names_and_skips_what_has_no_address(portal):
    """The exit code is that of the others."""
    assert "sources.hydrant.url" in aizu("run", "--all").stderr
    assert [call[0] for call in told(portal)] == ["aizu_publish"] * 2


@pytest.mark.usefixtures("city", "three")
def test_a_fault_of_the_program_is_one_line_and_does_not_stop_the_others(
    monkeypatch, portal, tmp_path
):
    """The run has failed, the traceback is in error.log, and the next source is harvested."""
    complete = report.complete

    def fails_once(*_):
        monkeypatch.setattr(report, "complete", complete)
        raise LookupError("a hidden detail")

    monkeypatch.setattr(report, "complete", fails_once)
    result = aizu("run", "--all", expect=1)
    log = tmp_path / "var" / "harvest" / "error.log"
    (line,) = [line for line in result.stderr.splitlines() if "LookupError" in line]
    assert str(log) in line
    assert "a hidden detail" not in result.output
    assert "LookupError: a hidden detail" in log.read_text()
    assert [call[0] for call in told(portal)] == ["aizu_harvest_status", "aizu_publish"]
    assert told(portal)[0][2]["state"] == "failed"
    status = json.loads((log.parent / "aizuwakamatsu" / "first" / "status.json").read_text())
    assert status["state"] == "failed"


@pytest.mark.usefixtures("city")
def test_broken_records_of_the_last_run_are_named_and_not_used(tmp_path):
    """Half a file after a power cut; the run makes it whole again."""
    aizu("run", "hydrant")
    folder = tmp_path / "var" / "harvest" / "aizuwakamatsu" / "hydrant"
    for name in ("snapshot.json", "status.json"):
        path = folder / name
        path.write_bytes(path.read_bytes()[:40])
    assert "status.json は壊れている" in aizu("status").stderr
    output = aizu("run", "--all").output
    assert "snapshot.json は壊れている" in output
    assert "status.json は壊れている" in output
    assert "壊れている" not in aizu("run", "--all").output


@pytest.mark.parametrize(
    ("environ", "spoken"),
    [
        ({}, "ja"),
        ({"LANG": "C.UTF-8"}, "ja"),
        ({"LANG": "ja_JP.UTF-8"}, "ja"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "ja_JP.UTF-8", "LC_ALL": "en_GB.UTF-8"}, "en"),
    ],
)
def test_the_locale_chooses_the_language(environ, spoken):
    """Japanese unless another language is named."""
    assert language(environ) == spoken


def test_english_is_spoken_where_it_is_asked_for(settings_env):
    """Headings and messages."""
    settings_env.setenv("LC_ALL", "en_US.UTF-8")
    assert aizu("status").output.startswith("city")
    assert "is empty" in aizu("fetch", "hydrant", expect=2).stderr


def held_back(**more):
    """How the portal refuses a publication, and perhaps says where to look at it."""
    gate = [{"table": "hydrant", "rule": "mass-deletion", "ja": "半分です。", "en": "Half of it."}]
    return 409, {"error": {"__type": "Validation Error", "gate": gate, **more}}


@pytest.mark.usefixtures("city")
def test_who_is_held_back_is_told_how_to_look_and_how_to_approve(portal):
    """Where the portal keeps what was sent, its page is named; where it does not, it has to be sent again."""
    page = "http://portal/dataset/aizuwakamatsu-hydrant/held"
    portal.answers["aizu_publish"] = held_back(held=[page])
    said = aizu("run", "hydrant", expect=1).stderr
    assert page in said
    assert "aizu plan hydrant" in said
    assert "aizu approve hydrant --reason" in said
    portal.answers["aizu_publish"] = held_back()
    assert "aizu run hydrant --reason" in aizu("run", "hydrant", expect=1).stderr


@pytest.mark.usefixtures("city")
def test_approve_publishes_what_is_held_now(portal):
    """The reasons are said; the portal is told by its hash what is approved."""
    held = {"name": "aizuwakamatsu-hydrant", "content_hash": "abc"}
    held["reasons"] = [{"ja": "半分です。", "en": "Half of it."}]
    portal.answers["aizu_held_show"] = 200, {"success": True, "result": held}
    portal.answers["aizu_approve"] = 200, {"success": True, "result": published(version=3, rows=7)}
    output = aizu("approve", "hydrant", "--reason", "統廃合").output
    assert "半分です。" in output
    assert "第 3 版" in output
    sent = {"name": held["name"], "content_hash": "abc", "reason": "統廃合"}
    assert portal.calls[-1][2] == sent
    portal.answers["aizu_held_show"] = 404, {"error": {"__type": "Not Found Error"}}
    said = aizu("approve", "hydrant", "--reason", "統廃合", expect=4).stderr
    assert "見合わせている公開はありません" in said
    assert "--reason" in aizu("approve", "hydrant", expect=2).stderr
