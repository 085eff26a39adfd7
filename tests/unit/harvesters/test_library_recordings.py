"""Catalogues and seats as library systems send them in, the expected tables out.

After a wanted change, `AIZU_WRITE_EXPECTED=1 pytest tests/unit/harvesters/test_library_recordings.py`
writes the expected files anew; look at the difference before committing it.
"""

import json
import os
from dataclasses import asdict
from datetime import UTC, datetime

import pytest

from harvesters import intake, validate
from harvesters.city import load_city
from harvesters.fetch import Snapshot
from harvesters.sources import library, library_seats

from .conftest import ROOT, alone, small

ASKED_AT = datetime(2026, 11, 22, 6, 7, tzinfo=UTC)
SOURCES = {"library": library, "library-seats": library_seats}
RECORDINGS = [
    path for name in SOURCES for path in sorted((ROOT / "tests" / "recordings" / name).glob("*.*"))
]


def package_of(source, content, filename="answer"):
    """The recording as a package, asked for on an afternoon in November."""
    city = small(load_city("aizuwakamatsu"))
    snapshot = Snapshot(content=content, url="", filename=filename, fetched_at=ASKED_AT)
    feed = city.feeds[source]
    return SOURCES[source].normalise(snapshot, feed, city, alone), feed, city


def agrees(name, content):
    """Whether the expected file says the same; writes it instead when asked to."""
    path = ROOT / "tests" / "expected" / name
    if os.environ.get("AIZU_WRITE_EXPECTED"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return path.read_bytes() == content


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.name)
def test_a_recorded_answer_becomes_the_expected_table(path):
    """Each format ends in the descriptor's columns, with every repair, note and problem accounted for."""
    source = path.parent.name
    package, feed, city = package_of(source, path.read_bytes(), path.name)
    (table,) = package.tables
    verdict = validate.validate(package, feed, city)
    assert verdict.valid, verdict.report
    assert agrees(f"{source}/{path.name}.csv", verdict.csv[table.name])
    told = {
        "kind": package.kind,
        "encoding": table.encoding,
        "records": list(table.row_numbers),
        "headings": table.headings,
        "repairs": [asdict(repair) for repair in table.repairs],
        "notes": [note.ja for note in package.notes],
        "problems": [asdict(problem) | {"words": problem.words.ja} for problem in package.problems],
    }
    text = json.dumps(told, ensure_ascii=False, indent=1) + "\n"
    assert agrees(f"{source}/{path.name}.json", text.encode())


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.name)
def test_every_repair_can_be_undone(path):
    """Also where several rows come from one record."""
    (table,) = package_of(path.parent.name, path.read_bytes())[0].tables
    before = intake.undone(table)
    names = [field.name for field in table.fields]
    cells = {
        (row, name, cell)
        for row, cells in zip(table.row_numbers, before, strict=True)
        for name, cell in zip(names, cells, strict=True)
    }
    firsts = {(one.row, one.column): one for one in reversed(table.repairs)}
    assert {(one.row, one.column, one.before) for one in firsts.values()} <= cells
    changed = sum(
        one != two
        for row, cells in zip(table.rows, before, strict=True)
        for one, two in zip(row, cells, strict=True)
    )
    assert 0 < changed <= len(table.repairs) or not table.repairs


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.name)
def test_the_same_bytes_give_the_same_package(path):
    """Two runs over one answer cannot be told apart."""
    one, two = (package_of(path.parent.name, path.read_bytes())[0] for _ in range(2))
    assert one.tables[0].frame.equals(two.tables[0].frame)
    assert one.problems == two.problems
