"""The `aizu` command harvests ploughs as it harvests any other source, from a city with and without faults."""

import pytest
import requests
from click.testing import CliRunner

from harvesters.cli import cli

from .conftest import ROOT

RECORDINGS = ROOT / "tests" / "recordings" / "snowplow"

pytestmark = pytest.mark.usefixtures("settings_env")


def aizu(*arguments, expect=0):
    """Runs the command and looks at the exit code."""
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == expect, result.output
    return result.output


def test_a_log_is_validated_from_its_file():
    """Repairs are counted by rule, and what was assumed is said."""
    output = aizu("validate", "snowplow", "--from", str(RECORDINGS / "log-ja.csv"))
    assert "5 行（CP932）、修復 10 件（車両の名前の揺れ 2" in output
    assert "Asia/Tokyo の時刻として読みました" in output
    assert "問題ありません" in output


@pytest.mark.parametrize("path", ["positions.geojson", "tracker.json", "log.csv"])
def test_what_the_demonstration_city_serves_is_valid(tmp_path, demo_city, path):
    """The fleet in each of its forms; a feed's clocks are right."""
    kept = tmp_path / path
    kept.write_bytes(requests.get(f"{demo_city}/plows/{path}", timeout=60).content)
    if path == "log.csv" and kept.read_bytes().count(b"\n") < 2:
        pytest.skip("the day in Japan has just begun")
    output = aizu("validate", "snowplow", "--from", str(kept))
    assert "問題ありません" in output
    assert "250 行" in output or path == "log.csv"


@pytest.mark.parametrize(
    ("fault", "code", "told"),
    [
        ("html", 1, "CSV ではなくウェブページ"),
        ("encoding", 1, "UTF-8 ではありません"),
        ("truncated", 1, "途中で切れました"),
        ("clock-skew", 0, "秒先です"),
        ("two-names", 0, "車両の名前の揺れ 1"),
        ("late", 0, "250 行"),
    ],
)
def test_a_fault_of_the_feed_is_told(settings_env, demo_city, fault, code, told):
    """Each in words that a clerk can act on."""
    settings_env.setenv("AIZU_CITY_URL", f"{demo_city}/fault/{fault}")
    assert told in aizu("validate", "snowplow", expect=code)
