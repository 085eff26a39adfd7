"""Workbooks: the sheet with the list is found, and what cannot be trusted is refused."""

import io
import zipfile
from datetime import datetime, time

import openpyxl
import pytest

from harvesters import intake
from harvesters.errors import NotTheListError

LIST = [["種別", "口径"], ["消火栓", 75], ["防火水槽", None]]

DAY = datetime.fromisoformat("2026-04-01")
HALF_PAST_NINE = datetime.fromisoformat("2026-04-01T09:30")


def saved(sheets, change=None):
    """A workbook with these sheets, as bytes."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    if change:
        change(book)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def refusal(content):
    with pytest.raises(NotTheListError) as refused:
        intake.read(content, ["種別"])
    assert refused.value.words.en
    return refused.value.words.ja


def test_known_headings_find_the_sheet_among_larger_ones():
    """The list may be the smallest sheet, and even a hidden one."""
    other = [["町名", "人口"], *([f"{number}町", number] for number in range(50))]

    def hide(book):
        book["一覧"].sheet_state = "hidden"

    sheet = intake.read(saved({"人口": other, "一覧": LIST}, hide), ["種別", "口径"])
    assert (sheet.name, sheet.rows) == ("一覧", [["消火栓", "75"], ["防火水槽", ""]])
    assert "人口" in sheet.notes[0].ja


def test_the_list_with_a_fault_is_refused_rather_than_another_sheet_read():
    """A cover sheet is no substitute."""
    cover = [["この資料について", "x"], ["作成", "市役所"]]
    said = refusal(saved({"表紙": cover, "一覧": LIST[:1]}))
    assert "一覧" in said
    assert "行がありません" in said


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        (37.489300000000004, "General", "37.4893"),
        (0.00001, "General", "0.00001"),
        (72028, "000000", "072028"),
        (1234567, "#,##0", "1234567"),
        (12.0, "0.0", "12"),
        (True, "General", "TRUE"),
        (DAY, "yyyy/m/d", "2026-04-01"),
        (DAY, '[$-411]ggge"年"m"月"d"日"', "2026-04-01"),
        (HALF_PAST_NINE, "yyyy/m/d h:mm", "2026-04-01T09:30:00"),
        (time(9, 30), "h:mm", "09:30:00"),
        ("０１", "@", "０１"),
    ],
)
def test_a_cell_as_text(value, number_format, text):
    """As many digits as Excel keeps, zeros of codes, dates in ISO form."""

    def form(book):
        book["一覧"]["B2"].number_format = number_format

    content = saved({"一覧": [["種別", "値"], ["消火栓", value], ["井戸", "x"]]}, form)
    assert intake.read(content).rows[0][1] == text


def test_a_coloured_cell_far_below_is_no_row():
    """Excel keeps formats up to the last of a million rows."""

    def colour(book):
        book["一覧"].cell(1_000_000, 9).fill = openpyxl.styles.PatternFill(
            "solid", fgColor="FF0000"
        )

    assert len(intake.read(saved({"一覧": LIST}, colour)).rows) == 2


def test_formulas_without_results_are_refused_with_their_cells():
    """A list saved by a program may look empty where numbers should be."""
    said = refusal(saved({"一覧": [*LIST, ["合計", "=SUM(B2:B3)"]]}))
    assert "B4" in said
    assert "Excel で開いて" in said


def test_a_formula_with_an_empty_text_as_its_result_is_a_blank_cell():
    """=IF(A2="","",1) is in every form."""
    content = saved({"一覧": [*LIST, ["井戸", '=IF(B3="","",1)']]})
    worked_out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(worked_out, "w") as new,
    ):
        for part in old.namelist():
            text = old.read(part).replace(b'<c r="B4"', b'<c r="B4" t="str"')
            new.writestr(part, text)
    assert intake.read(worked_out.getvalue()).rows[-1] == ["井戸", ""]


def test_damaged_workbooks_are_refused():
    """Cut off, emptied, or a zip of something else."""
    content = saved({"一覧": LIST})
    assert "壊れている" in refusal(content[: len(content) // 2])
    assert "値がありません" in refusal(saved({"一覧": []}))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as new:
        new.writestr("stops.txt", "stop_id\n1\n")
    assert "zip" in refusal(archive.getvalue())
    with zipfile.ZipFile(archive, "w") as new:
        new.writestr("xl/workbook.xml", "<nonsense/>")
    assert "壊れている" in refusal(archive.getvalue())
    assert "xls" in refusal(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))


def test_a_workbook_that_unpacks_to_a_flood_is_refused(monkeypatch):
    """The sizes in its directory are enough to know."""
    monkeypatch.setattr("harvesters.intake.kinds.LARGEST", 1000)
    assert "展開すると" in refusal(saved({"一覧": LIST}))
