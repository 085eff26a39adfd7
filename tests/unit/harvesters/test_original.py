"""The city's own file is passed on as what it is, never as what a server calls it."""

import io
import zipfile

import pytest

from harvesters import original

from .conftest import ROOT, snapshot_of

RECORDINGS = ROOT / "tests" / "recordings" / "intake"


def zipped(*names):
    """An archive with such parts and nothing in them."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, "")
    return content.getvalue()


TEXT = b"a,b\n1,2\n"
XLSX = zipped("xl/workbook.xml")
XLS = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ODS = zipped("content.xml", "mimetype")


@pytest.mark.parametrize(
    ("content", "given", "name", "media_type"),
    [
        (TEXT, "消火栓.csv", "消火栓.csv", "text/csv"),
        (TEXT, "LIST.CSV", "LIST.CSV", "text/csv"),
        (TEXT, "list.tsv", "list.tsv", "text/tab-separated-values"),
        (TEXT, "original", "original.csv", "text/csv"),
        (TEXT, "list-v1.2", "list-v1.2.csv", "text/csv"),
        (TEXT, "list.xlsx", "list.csv", "text/csv"),
        (TEXT, "list.csv.html", "list.csv", "text/csv"),
        (TEXT, "list.svg", "list.csv", "text/csv"),
        (TEXT, "list.js ", "list.csv", "text/csv"),
        (TEXT, ".html", "html.csv", "text/csv"),
        (XLSX, "消火栓.xlsx", "消火栓.xlsx", "application/vnd.openxmlformats"),
        (XLSX, "list.csv", "list.xlsx", "application/vnd.openxmlformats"),
        (XLSX, "list.xlsm", "list.xlsm", "application/vnd.ms-excel.sheet.macroEnabled.12"),
        (XLS, "list.xlsx", "list.xls", "application/vnd.ms-excel"),
        (ODS, "list.html", "list.ods", "application/vnd.oasis.opendocument.spreadsheet"),
    ],
)
def test_suffix_and_media_type_are_those_of_the_bytes(content, given, name, media_type):
    """A right suffix is kept, another gives way, and what is no suffix stays in the name."""
    offered, told = original.name_and_type(snapshot_of(content, given))
    assert offered == name
    assert told.startswith(media_type)


def test_a_real_workbook_is_offered_as_one():
    """A recording in the full format, not the few bytes by which it is known."""
    content = (RECORDINGS / "shelters.xlsx").read_bytes()
    assert original.name_and_type(snapshot_of(content, "避難所"))[0] == "避難所.xlsx"
