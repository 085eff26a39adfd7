"""Hydrant lists as cities send them in, the expected tables out.

After a wanted change, `AIZU_WRITE_EXPECTED=1 pytest tests/unit/harvesters/test_hydrant.py` writes the
expected files anew; look at the difference before committing it.
"""

import json
import os
from dataclasses import asdict

import pytest

from harvesters import report, validate
from harvesters.city import load_city
from harvesters.console import FINDING
from harvesters.report import findings
from harvesters.terminal import as_table

from .conftest import ROOT, as_csv, numbered, only, small, snapshot_of, table_of

RECORDINGS = ROOT / "tests" / "recordings" / "hydrant"
EXPECTED = ROOT / "tests" / "expected" / "hydrant"
LISTS = {
    "standard": "aizuwakamatsu",
    "layout-2017": "aizuwakamatsu",
    "city-layout": "sabae",
    "spoilt": "aizuwakamatsu",
}


def checked(recording):
    """The recording as a table, and its verdict."""
    city = small(load_city(LISTS[recording]))
    content = (RECORDINGS / f"{recording}.csv").read_bytes()
    table = table_of(snapshot_of(content), city)
    return table, validate.validate(only(table), city.feeds["hydrant"], city)


def agrees(name, content):
    """Whether the expected file says the same; writes it instead when asked to."""
    path = EXPECTED / name
    if os.environ.get("AIZU_WRITE_EXPECTED"):
        path.write_bytes(content)
    return path.read_bytes() == content


@pytest.mark.parametrize("recording", ["standard", "layout-2017", "city-layout"])
def test_a_recorded_list_becomes_the_expected_table(recording):
    """Each layout ends in the standard's columns, valid, with every repair and note accounted for."""
    table, verdict = checked(recording)
    assert verdict.valid, verdict.report
    assert agrees(f"{recording}.csv", verdict.csv["hydrant"])
    told = {
        "key": table.key,
        "repairs": [asdict(repair) for repair in table.repairs],
        "notes": [note.ja for note in table.notes],
    }
    text = json.dumps(told, ensure_ascii=False, indent=1) + "\n"
    assert agrees(f"{recording}.json", text.encode())


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_spoilt_list_is_explained_cell_by_cell(language):
    """The clerk's table names row, column, value and rule of every planted fault, and no others."""
    table, verdict = checked("spoilt")
    assert not verdict.valid
    rows = [finding.cells(language) for finding in findings(verdict.report, only(table))]
    text = as_table(rows, FINDING.said(language).split(",")) + "\n"
    assert agrees(f"spoilt.{language}.txt", text.encode())


def test_the_same_bytes_give_the_same_bytes():
    """Two runs over one list cannot be told apart."""
    assert checked("standard")[1].csv == checked("standard")[1].csv


def test_a_city_without_numbers_is_accepted_without_a_key(normalised, aizu):
    """Where no row has a number, the table has no key; where some have, the others are refused."""
    table = normalised(as_csv([{"ID": ""}, {"ID": ""}]))
    assert table.key == ()
    assert validate.validate(only(table), aizu.feeds["hydrant"], aizu).valid
    some = normalised(as_csv([{"ID": "1"}, {"ID": ""}]))
    verdict = validate.validate(only(some), aizu.feeds["hydrant"], aizu)
    assert [finding.rule for finding in findings(verdict.report, only(some))] == [
        "primary-key-empty"
    ]


def test_a_code_of_another_city_is_left_as_it_is(normalised):
    """Only the city's own code is restored; a neighbour's may be right, and is not ours to change."""
    table = normalised(as_csv([{"所在地_全国地方公共団体コード": "072061"}]))
    assert table.rows[0][4] == "072061"
    assert table.repairs == []


@pytest.mark.parametrize(
    ("written", "rule"),
    [("072028", None), ("７２０２８", "municipality-code"), ("7202", "municipality-code"),
     ("０７２０２８", "half-width"), ("072028 ", "spaces")],
)  # fmt: skip
def test_a_worn_code_is_the_citys_own_again(normalised, written, rule):
    """However a spreadsheet has worn it down; the report tells which way it was."""
    table = normalised(as_csv([{"全国地方公共団体コード": written}]))
    assert table.rows[0][0] == "072028"
    assert [repair.rule for repair in table.repairs] == ([rule] if rule else [])


@pytest.mark.parametrize(
    ("written", "read"),
    [("100", "100"), ("１００", "100"), ("100mm", "100"), ("100㎜", "100"), ("φ100", "100"),
     ("75.5 ミリ", "75.5"), ("75×2", "75×2"), ("不明", "不明")],
)  # fmt: skip
def test_a_diameter_loses_its_unit_and_nothing_else(normalised, written, read):
    """Millimetres may be written in several ways; what is not clear is left for the check to refuse."""
    table = normalised(as_csv([{"口径": written}], encoding="utf-8"))
    assert table.rows[0][14] == read
    assert [repair.before for repair in table.repairs] == ([written] if written != read else [])


def test_the_report_counts_rows_and_holds_every_repair(normalised, aizu):
    """Beside Frictionless's own words stands what happened to the list before."""
    table = normalised(as_csv(numbered(3, 備考=" x ")))
    verdict = validate.validate(only(table), aizu.feeds["hydrant"], aizu)
    told = report.complete(verdict.report, only(table))["aizu"]
    assert told["rows"] == 3
    assert [(one["row"], one["before"], one["after"]) for one in told["repairs"]] == [
        (2, " x ", "x"), (3, " x ", "x"), (4, " x ", "x")
    ]  # fmt: skip
