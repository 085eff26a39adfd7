"""What the tests of timetables share: a small good feed, and a way to spoil it cell by cell."""

import csv
import io
import sys
import zipfile
from datetime import date
from pathlib import Path

import pytest

from harvesters.gtfs import check

ROOT = Path(__file__).parents[3]
TOWN = ROOT / "tests" / "recordings" / "bus" / "town"
TODAY = date(2026, 11, 1)
sys.path.insert(0, str(ROOT / "scripts"))  # the demonstration city is no part of the package


def town_files():
    """The good feed: file name to bytes."""
    return {path.name: path.read_bytes() for path in sorted(TOWN.glob("*.txt"))}


def zipped(files):
    """A zip as a program of an operator would write it."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in files.items():
            archive.writestr(name, part)
    return content.getvalue()


def spoilt(*edits):
    """The good feed with cells changed: (table, row, column, value); row 1 is the headings.

    A row below the last is added; a value of None takes the row, the column (in row 1) or, with row
    0, the whole file away.
    """
    files = town_files()
    for table, row, column, value in edits:
        name = f"{table}.txt"
        if row == 0:
            del files[name]
            continue
        rows = list(csv.reader(files[name].decode().splitlines()))
        rows = _edited(rows, row, column, value)
        text = io.StringIO()
        csv.writer(text).writerows(rows)
        files[name] = text.getvalue().encode()
    return files


def _edited(rows, row, column, value):
    place = rows[0].index(column) if column in rows[0] else len(rows[0])
    if row == 1 and value is None:
        return [cells[:place] + cells[place + 1 :] for cells in rows]
    if row == 1:
        return [
            [*cells, value] if number else [*cells, column] for number, cells in enumerate(rows)
        ]
    if value is None:
        return rows[: row - 1] + rows[row:]
    if row > len(rows):
        rows = [*rows, list(rows[-1])]
    rows[row - 1][place] = value
    return rows


def found(files, **options):
    """The feed that the check makes of files."""
    return check(zipped(files), "feed.zip", **{"today": TODAY} | options)


def places(feed, rule=None):
    """Where findings are: (rule, table, row, field)."""
    return [
        (one.rule, one.table.removesuffix(".txt"), one.row, one.field)
        for one in feed.findings
        if rule in {None, one.rule}
    ]


@pytest.fixture(scope="session")
def town():
    """The good feed, checked."""
    return found(town_files())
