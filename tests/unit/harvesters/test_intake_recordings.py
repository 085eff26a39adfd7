"""Files in the layouts that offices use, each with the table that it must become."""

import json

import pytest

from harvesters import intake

from .conftest import ROOT

RECORDINGS = ROOT / "tests" / "recordings" / "intake"
EXPECTED = ROOT / "tests" / "expected" / "intake"


def told(sheet):
    """A sheet in the form of the expected files, without what is empty."""
    whole = {
        "encoding": sheet.encoding,
        "delimiter": sheet.delimiter,
        "sheet": sheet.name,
        "header_row": sheet.header_row,
        "headings": sheet.headings,
        "other_rows": {str(row.number): row.role for row in sheet.others},
        "metadata": sheet.metadata,
        "types": sheet.types,
        "units": sheet.units,
        "repairs": [[r.row, r.column, r.before, r.after, r.rule] for r in sheet.repairs],
        "notes": [note.ja for note in sheet.notes],
        "rows": [
            [number, *cells] for number, cells in zip(sheet.row_numbers, sheet.rows, strict=True)
        ],
    }
    return {name: value for name, value in whole.items() if value}


@pytest.mark.parametrize("file", sorted(RECORDINGS.iterdir()), ids=lambda file: file.name)
def test_a_layout_becomes_its_table(file):
    """Headings, rows, what was set aside, repaired and told: word for word."""
    expected = (EXPECTED / f"{file.name}.json").read_text(encoding="utf-8")
    assert told(intake.read(file.read_bytes())) == json.loads(expected)


@pytest.mark.parametrize("file", sorted(RECORDINGS.iterdir()), ids=lambda file: file.name)
def test_every_note_is_there_in_both_languages(file):
    """English is no afterthought."""
    for note in intake.read(file.read_bytes()).notes:
        assert note.ja and note.en and note.ja != note.en


def test_every_recording_has_an_expectation():
    """And no expectation is left over."""
    expected = {path.name for path in EXPECTED.glob("*.json")}
    assert expected == {f"{path.name}.json" for path in RECORDINGS.iterdir()}
