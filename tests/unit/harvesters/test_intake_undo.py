"""Nothing is lost: with the repairs taken back, every cell of the file is in its place again."""

import csv
import io

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harvesters import columns, intake
from harvesters.errors import NotTheListError
from harvesters.intake import values
from harvesters.source import Repair

from .conftest import ROW, as_csv
from .test_intake_recordings import RECORDINGS

TEXTS = [file for file in sorted(RECORDINGS.iterdir()) if file.suffix == ".csv"]


@pytest.mark.parametrize("file", TEXTS, ids=lambda file: file.name)
def test_the_cells_of_a_file_come_back(file):
    """What the csv module reads is what the sheet still holds, set aside or repaired."""
    sheet = intake.read(file.read_bytes())
    codec = "iso2022_jp_ext" if sheet.encoding == "iso-2022-jp" else sheet.encoding
    text = io.StringIO(file.read_bytes().decode(codec), newline="")
    assert intake.original(sheet) == list(csv.reader(text, delimiter=sheet.delimiter))


def test_the_cells_of_a_workbook_come_back():
    """The second cell of two merged ones is empty again."""
    sheet = intake.read((RECORDINGS / "shelters.xlsx").read_bytes())
    book = openpyxl.load_workbook(RECORDINGS / "shelters.xlsx")["避難所"]
    filled = [[cell.value is not None for cell in row] for row in book.iter_rows(1, 9, 1, 6)]
    assert [[cell != "" for cell in row] for row in intake.original(sheet)] == filled
    assert [repair.rule for repair in sheet.repairs] == ["merged-cells"]


@given(
    st.lists(
        st.lists(
            st.sampled_from(["", " ", "種別", "会館", "12", "〃", "※ 注", "(人)"]), max_size=5
        ),
        max_size=8,
    )
)
@settings(max_examples=300, deadline=None)
def test_whatever_is_read_can_be_undone(rows):
    """Of any grid each row is data or set aside, and comes back cell by cell."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    try:
        sheet = intake.read(text.getvalue().encode())
    except NotTheListError:
        return
    expected = list(csv.reader(io.StringIO(text.getvalue()), delimiter=sheet.delimiter))
    assert intake.original(sheet) == expected


SPOILT = {
    "全国地方公共団体コード": ["72028", "07202", "072028"],
    "町字ID": ["1000", "0001000", "１０００"],
    "緯度": ["37.4893", "３７．４８９３", "37度29分21.5秒", "139.9292"],
    "経度": ["139.9292", "139°55′45″", "37.4893"],
    "口径": ["150mm", "φ100", "１００", "-", "75.0"],
    "備考": [" あり ", "", "撤去"],
}


@given(
    st.lists(
        st.fixed_dictionaries({name: st.sampled_from(cells) for name, cells in SPOILT.items()}),
        min_size=1,
        max_size=6,
    )
)
@settings(max_examples=100, deadline=None)
def test_the_values_of_a_table_come_back(rows):
    """Repaired twice or once, a cell is what the city wrote."""
    from harvesters.city import load_city

    city = load_city("aizuwakamatsu")
    feed = city.feeds["hydrant"]
    sheet = intake.read(as_csv(rows), columns.known_headings(feed))
    table = columns.to_table(sheet, feed)
    repaired = values.repair(table, feed.dataset, city)
    assert intake.undone(repaired) == [list((ROW | row).values()) for row in rows]
    changed = {(repair.row, repair.column) for repair in repaired.repairs}
    differs = {
        (number, field.name)
        for number, before, after in zip(table.row_numbers, table.rows, repaired.rows, strict=True)
        for field, old, new in zip(table.fields, before, after, strict=True)
        if old != new
    }
    assert differs <= changed


def test_the_last_repair_is_taken_back_first():
    """Two rules at one cell leave a chain, which is gone through backwards."""
    chain = [
        Repair(row=2, column="a", before="１", after="1", rule="half-width"),
        Repair(row=2, column="a", before="1", after="2", rule="ditto"),
    ]
    assert intake.undo(["a"], [["2"]], [2], chain) == [["１"]]
