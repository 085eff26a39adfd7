"""Every real file of plough positions is read or refused as the checked-in table says, where the folder is there.

After a wanted change, `AIZU_WRITE_EXPECTED=1 pytest tests/unit/harvesters/test_real_plows.py` writes the
table anew.
"""

import csv
import io
import os
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from harvesters.errors import HarvestError
from harvesters.fetch import read_file
from harvesters.sources import snowplow

from .conftest import ROOT

FILES = ROOT.parent / "shared" / "data" / "snowplows"
EXPECTED = ROOT / "tests" / "expected" / "snowplow" / "real_files.csv"
FETCHED = datetime(2026, 11, 23, tzinfo=UTC)


def row(path, city):
    """What becomes of one file, as a row of the table."""
    snapshot = replace(read_file(path), fetched_at=FETCHED)
    try:
        made = snowplow.normalise(snapshot, city.feeds["snowplow"], city, lambda name: None)
    except HarvestError as error:
        return [path.name, "refused", error.words.en, "", "", "", "", ""]
    repairs, problems = Counter(), Counter(one.rule for one in made.problems)
    for repair in made.repairs:
        repairs[repair.rule] += repair.count
    (table,) = made.tables
    return [
        path.name,
        "read",
        f"{made.kind or 'table'} ({table.encoding})",
        table.frame.height,
        table.frame["vehicle"].n_unique(),
        "; ".join(f"{rule} {count}" for rule, count in sorted(repairs.items())),
        "; ".join(f"{rule} {count}" for rule, count in sorted(problems.items())),
        " ".join(note.en for note in table.notes),
    ]


@pytest.mark.skipif(
    not FILES.is_dir(), reason="the real positions (../shared/data/snowplows) are not here"
)
def test_every_real_file_is_read_or_refused_as_expected(aizu):
    """Rows, vehicles, repairs, findings and notes; a refusal says what the file is instead."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ["file", "verdict", "as what", "rows", "vehicles", "repairs", "findings", "notes"]
    )
    writer.writerows(row(path, aizu) for path in sorted(FILES.iterdir()))
    if os.environ.get("AIZU_WRITE_EXPECTED"):
        EXPECTED.write_text(text.getvalue(), encoding="utf-8")
    assert EXPECTED.read_text(encoding="utf-8") == text.getvalue()
