"""Every real list of the development repository is read as it should be, or refused with a reason."""

import csv
import io
from collections import Counter
from functools import cache

import pytest

from harvesters import intake
from harvesters.errors import NotTheListError

from .conftest import ROOT

FILES = ROOT.parent / "shared" / "data"
EXPECTED = ROOT / "tests" / "expected" / "intake" / "real_files.csv"
FOLDERS = ("municipal-csv", "badcsv", "badcsv/csv-spectrum", "badcsv/frictionless", "hydrants")
KINDS = {".csv", ".xlsx", ".xls", ".geojson", ".json"}
VARIANTS = ("as it is", "CP932", "CP932, 2 rows")
COLUMNS = [
    "file",
    "variant",
    "result",
    "encoding",
    "header row",
    "rows",
    "columns",
    "repairs",
    "notes",
]
HEADER_ROWS = {
    "jma_tokyo_daily_cp932.csv": 5,
    "skip-rows-before-headers.csv": 2,
    "japanpost_13TOKYO_cp932.csv": 0,
}
"""Seen by eye in the files that do not begin with their headings; 0: there are none."""
LISTS = [path for folder in (*FOLDERS, "library") for path in sorted((FILES / folder).glob("*"))]
LISTS = [path for path in LISTS if path.suffix in KINDS]

pytestmark = pytest.mark.skipif(
    not FILES.is_dir(), reason="the real lists (../shared/data) are not here"
)


def text_of(path):
    """UTF-8 if it is that, else CP932: there is nothing else among these files."""
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig"), "utf-8-sig"
    except UnicodeDecodeError:
        return content.decode("cp932"), "cp932"


def header_of(path, records):
    """Where the headings are: by eye, in LinkData where #property stands, else on top."""
    marked = [number for number, cells in enumerate(records, 1) if cells[:1] == ["#property"]]
    return HEADER_ROWS.get(path.name, marked[0] if marked else 1)


def records_of(text):
    return list(csv.reader(io.StringIO(text, newline="")))


def content_of(path, variant):
    """The file, or what a spreadsheet in Japan would save of it; nothing for other formats."""
    if variant == "as it is":
        return path.read_bytes()
    if path.suffix != ".csv":
        return None
    text, _ = text_of(path)
    if variant == "CP932":
        return text.encode("cp932", "replace")
    records = records_of(text)
    top = header_of(path, records)
    while records[top][:1] and records[top][0].startswith("#"):
        top += 1
    short = io.StringIO()
    csv.writer(short).writerows(records[: top + 2])
    return short.getvalue().encode("cp932", "replace")


def told(path, variant, content):
    """One line of the expected table."""
    line = {"file": str(path.relative_to(FILES)), "variant": variant}
    try:
        sheet = intake.read(content)
    except NotTheListError as refusal:
        return line | {"result": "refused", "notes": " ".join(str(refusal).split())[:150]}
    rules = Counter(repair.rule for repair in sheet.repairs)
    roles = Counter(row.role for row in sheet.others if row.role != "header")
    return line | {
        "result": "read",
        "encoding": sheet.encoding,
        "header row": str(sheet.header_row or "none"),
        "rows": str(len(sheet.rows)),
        "columns": str(len(sheet.headings)),
        "repairs": ", ".join(f"{rule} {count}" for rule, count in rules.items()),
        "notes": ", ".join(f"{role} {count}" for role, count in roles.items()),
    }


@cache
def expected():
    with EXPECTED.open(encoding="utf-8", newline="") as file:
        return {(line["file"], line["variant"]): line for line in csv.DictReader(file)}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.name)
def test_a_real_file_is_read_or_refused_as_the_table_says(path, variant):
    """The checked-in table holds a line for every file as it is and for its two re-saves."""
    content = content_of(path, variant)
    if content is None:
        return
    line = dict.fromkeys(COLUMNS, "") | told(path, variant, content)
    assert line == expected()[line["file"], variant]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    "path",
    [path for path in LISTS if path.parent.name == "municipal-csv"],
    ids=lambda path: path.name,
)
def test_a_municipal_list_is_read_with_its_encoding_and_its_headings(path, variant):
    """All 120, and their re-saves; encoding and headings are found here in another way."""
    text, encoding = text_of(path)
    content = content_of(path, variant)
    sheet = intake.read(content)
    records = records_of(text if variant == "as it is" else content.decode("cp932"))
    top = header_of(path, records)
    wanted = encoding if variant == "as it is" or text.isascii() else "cp932"
    assert sheet.encoding == ("utf-8-sig" if content.isascii() else wanted)
    assert sheet.header_row == top
    width = len(sheet.headings)
    assert sheet.headings == [cell.strip() for cell in records[top - 1]][:width]
    assert not any(records[top - 1][width:])
    body = [cells for cells in records[top:] if any(cells) and not cells[0].startswith("#")]
    assert sheet.rows == [(cells + [""] * width)[:width] for cells in body]


def test_nothing_is_missing_in_the_table():
    """A file that goes away leaves its line behind."""
    there = {(str(path.relative_to(FILES)), one) for path in LISTS for one in VARIANTS}
    assert set(expected()) <= there
