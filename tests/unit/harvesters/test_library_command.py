"""The `aizu` command harvests a library as it harvests any other source."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from harvesters.cli import cli
from harvesters.library import pages

from .conftest import ROOT

RECORDINGS = ROOT / "tests" / "recordings"

pytestmark = pytest.mark.usefixtures("settings_env")


def aizu(*arguments, expect=0):
    """Runs the command and looks at the exit code."""
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == expect, result.output
    return result


def test_a_harvested_catalogue_is_validated_from_its_file(settings_env, monkeypatch, demo_city):
    """What was kept can be read again without the repository."""
    monkeypatch.setattr(pages, "PAUSE_S", 0)
    settings_env.setenv("AIZU_CITY_URL", demo_city)
    kept = Path(aizu("fetch", "library").output.splitlines()[-1])
    output = aizu("validate", "library", "--from", str(kept)).output
    assert "2,988 行" in output
    assert "削除された書誌 12 件は表にありません。" in output
    assert "問題ありません" in output


def test_a_refusal_names_the_file_the_place_and_what_to_do(tmp_path):
    """As every refusal of a list."""
    path = tmp_path / "holdings.mrc"
    path.write_bytes((RECORDINGS / "library" / "marc21.mrc").read_bytes()[:-20])
    output = aizu("validate", "library", "--from", str(path), expect=1).output
    assert "holdings.mrc: 4 件目の書誌の途中でファイルが終わっています" in output
    assert "もう一度取得してください" in output


def test_warnings_and_errors_are_told_for_machines():
    """The report holds the problems of records beside Frictionless's own findings."""
    path = RECORDINGS / "library" / "dcndl-simple.xml"
    told = json.loads(aizu("validate", "library", "--from", str(path), "--json", expect=1).stdout)
    findings = {(one["rule"], one["severity"]) for one in told["aizu"]["findings"]}
    assert ("isbn-check-digit", "warning") in findings
    assert ("too-many-damaged", "error") in findings
    assert any(rule == "table-dimensions" for rule, _ in findings)


@pytest.mark.parametrize("name", ["sru.xml", "unimarc.mrc", "marc-in-json.json", "dcndl.rdf"])
def test_a_catalogue_is_known_by_its_bytes(name):
    """Without a source or a city, as any other file."""
    path = RECORDINGS / "library" / name
    result = CliRunner().invoke(cli, ["validate", str(path)])
    assert "行" in result.stdout
    assert "列の種類を値から推定" not in result.output


def test_seats_are_validated_from_a_file():
    """Old figures are a warning, and the file is too small for the city's bounds."""
    path = RECORDINGS / "library-seats" / "branches.json"
    output = aizu("validate", "library-seats", "--from", str(path), expect=1).output
    assert "3 行" in output
    assert "注意 3 件" in output
