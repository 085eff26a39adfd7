"""Every real catalogue of the development repository is read as it should be, or refused with a reason.

After a wanted change, `AIZU_WRITE_EXPECTED=1 pytest tests/unit/harvesters/test_library_real_files.py`
writes the expected table anew; look at the difference before committing it.
"""

import csv
import io
import os
from collections import Counter
from functools import cache

import pytest

from harvesters import report, validate
from harvesters.errors import ColumnsError, NotTheListError

from .conftest import ROOT
from .test_library_recordings import package_of

FILES = ROOT.parent / "shared" / "data" / "library"
EXPECTED = ROOT / "tests" / "expected" / "library" / "real_files.csv"
COLUMNS = ["file", "result", "encoding", "records", "rows", "repairs", "findings", "notes"]
PATHS = sorted(path for path in FILES.glob("**/*") if path.is_file())

pytestmark = pytest.mark.skipif(
    not FILES.is_dir(), reason="the real catalogues (../shared/data/library) are not here"
)


def told(path):
    """One line of the expected table."""
    line = {"file": str(path.relative_to(FILES))}
    try:
        package, feed, city = package_of("library", path.read_bytes(), path.name)
    except (NotTheListError, ColumnsError) as refusal:
        return line | {"result": "refused", "notes": " ".join(str(refusal).split())[:200]}
    (table,) = package.tables
    verdict = validate.validate(package, feed, city)
    findings = report.complete(verdict.report, package)["aizu"]["findings"]
    rules = Counter(repair.rule for repair in table.repairs)
    found = Counter(finding["rule"] for finding in findings)
    return line | {
        "result": "read",
        "encoding": table.encoding,
        "records": str(len(set(table.row_numbers))),
        "rows": str(table.frame.height),
        "repairs": ", ".join(f"{rule} {count}" for rule, count in sorted(rules.items())),
        "findings": ", ".join(f"{rule} {count}" for rule, count in sorted(found.items())),
        "notes": " ".join(note.en for note in package.notes)[:200],
    }


@cache
def expected():
    """The checked-in table by file; written first when asked to."""
    if os.environ.get("AIZU_WRITE_EXPECTED"):
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(told(path) for path in PATHS)
        EXPECTED.write_text(text.getvalue(), encoding="utf-8")
    with EXPECTED.open(encoding="utf-8", newline="") as file:
        return {line["file"]: line for line in csv.DictReader(file)}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_a_real_catalogue_is_read_or_refused_as_the_table_says(path):
    """The checked-in table holds a line for every file."""
    line = dict.fromkeys(COLUMNS, "") | told(path)
    assert line == expected()[line["file"]]


def test_nothing_is_missing_in_the_table():
    """A file that goes away leaves its line behind."""
    assert set(expected()) == {str(path.relative_to(FILES)) for path in PATHS}
