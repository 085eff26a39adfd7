"""`aizu report`: the last check of a source, refused or not, as lines, as JSON and as a page."""

import json

import pytest
from click.testing import CliRunner

from harvesters.cli import cli

from .conftest import as_csv, numbered

NAME = "<script>町"


@pytest.fixture(autouse=True)
def environment(settings_env, demo_city, portal):
    """A city and a portal, and no queue."""
    settings_env.setenv("AIZU_CITY_URL", demo_city)
    settings_env.setenv("AIZU_PORTAL_URL", portal.url)
    settings_env.setenv("AIZU_API_TOKEN", "secret")
    return settings_env


def aizu(*words, expect=0):
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == expect, result.output
    return result


@pytest.fixture
def refused(tmp_path):
    """A run whose list was refused: the latitude of its fourth row lies far away."""
    rows = [*numbered(2), {"ID": " 3", "緯度": "12.5", "所在地_町字": NAME}]
    (tmp_path / "list.csv").write_bytes(as_csv(rows, encoding="utf-8"))
    aizu("run", "hydrant", "--from", str(tmp_path / "list.csv"), expect=1)


@pytest.mark.usefixtures("refused")
def test_a_refused_run_is_told_with_its_cells():
    """What was repaired, too, and the sentence with which it ended."""
    told = aizu("report", "hydrant").stdout
    assert "緯度" in told
    assert "12.5" in told
    assert "公開しません" in told
    assert "端の空白" in told


@pytest.mark.usefixtures("refused")
def test_english_is_spoken_where_it_is_asked_for(environment):
    """Headings, verdict and sentence."""
    environment.setenv("LC_ALL", "en_GB.UTF-8")
    told = aizu("report", "hydrant").stdout
    assert "Errors:" in told
    assert "not published" in told


@pytest.mark.usefixtures("refused")
def test_json_is_the_report_itself(tmp_path):
    """As it is kept."""
    told = json.loads(aizu("report", "hydrant", "--json").stdout)
    (kept,) = tmp_path.glob("var/harvest/*/hydrant/report.json")
    assert told == json.loads(kept.read_text())
    assert not told["valid"]


@pytest.mark.usefixtures("refused")
def test_a_page_is_written_and_what_comes_from_the_file_escaped(tmp_path):
    """With the same cells."""
    aizu("report", "hydrant", "--html", str(tmp_path / "page.html"))
    page = (tmp_path / "page.html").read_text()
    assert "12.5" in page
    assert "<script" not in page
    missing = aizu("report", "hydrant", "--html", str(tmp_path / "no" / "page.html"), expect=2)
    assert "--html" in missing.stderr


def test_a_good_run_is_told_in_two_lines():
    """Rows, verdict, and what came of it."""
    aizu("run", "hydrant")
    title, verdict, outcome = aizu("report", "hydrant").stdout.splitlines()
    assert "1,486 行  問題ありません" in verdict
    assert "更新しました" in outcome
    assert title


def test_where_nothing_was_checked_it_says_where_to_look():
    """Other machines, or the portal."""
    told = aizu("report", "hydrant", expect=2).stderr
    assert "--version" in told
    assert "hydrant" in aizu("report", "hydrnat", expect=2).stderr


def test_a_version_comes_from_the_portal(portal):
    """One that it does not have is said."""
    portal.answers["aizu_version_show"] = portal.answers["aizu_versions"]
    aizu("report", "hydrant", "--version", "7", expect=4)
    (action, _, asked) = portal.calls[-1]
    assert (action, asked) == (
        "aizu_version_show",
        {"name": "aizuwakamatsu-hydrant", "number": 7},
    )
