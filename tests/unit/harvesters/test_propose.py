"""`aizu propose`: the block for a city file; put into one, `aizu validate` reads the list with it."""

import csv
import io
import shutil
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from harvesters import configuration
from harvesters.city import load_city
from harvesters.cli import cli
from harvesters.dataset import load

from .conftest import ROOT, ROW

RECORDINGS = ROOT / "tests" / "recordings" / "hydrant"
RENAMED = ROOT / "tests" / "recordings" / "standards" / "hydrants-renamed.csv"
SHOPS = RENAMED.with_name("shops.csv")
REAL = ROOT.parent / "shared" / "data" / "hydrants"


@pytest.fixture
def town(tmp_path, monkeypatch):
    """Puts a block into a city file of its own beside the real ones; gives the name of the city."""
    folder = tmp_path / "schemas"
    shutil.copytree(ROOT / "schemas", folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(configuration, "SCHEMAS", folder)
    monkeypatch.setenv("AIZU_VAR", str(tmp_path / "var"))
    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")

    def written(block, like):
        city = yaml.safe_load((folder / "cities" / f"{like}.yaml").read_text(encoding="utf-8"))
        city |= yaml.safe_load(block)
        text = yaml.safe_dump(city, allow_unicode=True)
        (folder / "cities" / "town.yaml").write_text(text, encoding="utf-8")
        load.cache_clear()
        return "town"

    yield written
    load.cache_clear()


def aizu(*words):
    """Runs the command."""
    return CliRunner().invoke(cli, [str(word) for word in words])


def proposed(file, city):
    """The block, and what it says about the dataset."""
    answer = aizu("propose", file, "--city", city)
    assert answer.exit_code == 0, answer.stderr
    return answer.stdout, yaml.safe_load(answer.stdout)["sources"]["hydrant"]


@pytest.mark.parametrize(
    ("name", "city"),
    [
        ("layout-2017.csv", "aizuwakamatsu"),
        ("city-layout.csv", "sabae"),
        (RENAMED, "aizuwakamatsu"),
    ],
)
def test_a_list_is_read_with_the_block_proposed_for_it(town, name, city):
    """Both layouts, and headings that say nothing, go through validation without another word."""
    block, said = proposed(RECORDINGS / name, city)
    load_city(town(block, city))
    answer = aizu("validate", "hydrant", "--from", RECORDINGS / name, "--city", "town")
    assert answer.exit_code == 0, answer.stderr
    assert said["department"]


def test_headings_that_say_nothing_are_known_by_their_values():
    """Codes, numbers of the rows, kinds, addresses and positions."""
    _, said = proposed(RENAMED, "aizuwakamatsu")
    assert said["columns"] == {
        "全国地方公共団体コード": "列D",
        "ID": "列A",
        "種別": "列B",
        "所在地_連結表記": "列C",
        "緯度": "列E",
        "経度": "列F",
    }
    assert said["constants"] == {"地方公共団体名": "福島県会津若松市"}
    assert [one["source"] for one in said["extra"]] == ["列G", "列H"]


def test_each_line_says_how_sure_it_is_and_why():
    """For whoever puts the block into the city file."""
    block, _ = proposed(RENAMED, "aizuwakamatsu")
    lines = {line.split(":")[0].strip(): line for line in block.splitlines() if ":" in line}
    assert lines["緯度"].endswith("# 値から / by the values; 要確認 / check")
    block, _ = proposed(RECORDINGS / "city-layout.csv", "sabae")
    assert "口径: 配水管口径(mm)  # 似た見出し / similar heading; 要確認 / check" in block
    assert "一覧に無い / not in the list" in block


def test_what_the_standard_knows_needs_no_line():
    """The headings of the descriptor are read without the city file."""
    _, said = proposed(RECORDINGS / "layout-2017.csv", "aizuwakamatsu")
    assert not {"columns", "constants", "extra", "ignore"} & set(said)


def test_every_heading_has_one_place():
    """Read, kept or ignored because it is empty: none is left for the run to stop at."""
    _, said = proposed(RECORDINGS / "city-layout.csv", "sabae")
    assert said["constants"] == {"全国地方公共団体コード": "182079"}
    assert "行政区名" in said["ignore"]
    assert {"消防団", "貯水量(t)"} <= {one["source"] for one in said["extra"]}
    assert {one["name"]: one["type"] for one in said["extra"]}["貯水量(t)"] == "number"


def made(tmp_path: Path, **changed: str) -> Path:
    """Two rows in the standard's layout; a heading can be called otherwise."""
    rows = [ROW, ROW | {"ID": "2", "所在地_連結表記": "福島県会津若松市追手町1番2号"}]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([changed.get(name, name) for name in ROW])
    writer.writerows(row.values() for row in rows)
    file = tmp_path / "list.csv"
    file.write_text(text.getvalue(), encoding="utf-8")
    return file


def test_a_heading_of_a_city_s_own(town, tmp_path):
    """YAML would take 'yes' and numbers for something else; they stay texts."""
    file = made(tmp_path, ID="yes", 備考="2026", 種別="水利の種別")
    block, said = proposed(file, "aizuwakamatsu")
    assert said["columns"]["種別"] == "水利の種別"
    assert said["columns"]["ID"] == "yes"
    assert said["ignore"] == ["2026"]
    town(block, "aizuwakamatsu")
    assert aizu("validate", "hydrant", "--from", file, "--city", "town").exit_code == 0


def test_a_list_that_is_no_dataset_of_ours_is_refused():
    """With the names of those that there are."""
    answer = aizu("propose", SHOPS)
    assert answer.exit_code == 1
    assert "hydrant" in answer.stderr
    toilets = aizu("propose", SHOPS.with_name("toilets.csv"))
    assert toilets.exit_code == 1
    assert "公衆トイレ一覧" in toilets.stderr


def test_what_is_lacking_is_named():
    """--schema decides; the columns that nothing can fill stand as comments."""
    answer = aizu("propose", SHOPS, "--schema", "hydrant")
    assert answer.exit_code == 0
    assert "# 緯度: 見つかりません" in answer.stdout
    yaml.safe_load(answer.stdout)


def test_two_headings_that_are_the_same_are_refused(tmp_path):
    """A city file could not tell them apart."""
    answer = aizu("propose", made(tmp_path, 備考="種別"))
    assert answer.exit_code == 1
    assert "2 回" in answer.stderr


@pytest.mark.skipif(not REAL.is_dir(), reason="the real lists (../shared/data) are not here")
@pytest.mark.parametrize(
    ("name", "city"),
    [("sabae_200_shokasen_cp932.csv", "sabae"), ("yaizu_222127_fire_hydrant.csv", "yaizu")],
)
def test_real_lists_are_read_with_the_blocks_proposed_for_them(town, name, city):
    """Thousands of rows whose number only tells them apart together with kind and brigade."""
    block, _ = proposed(REAL / name, city)
    town(block, city)
    answer = aizu("validate", "hydrant", "--from", REAL / name, "--city", "town")
    assert answer.exit_code == 0, answer.stderr
