"""Where the table is among titles, groups, units and notes; and where a doubt is no header."""

import pytest

from harvesters import intake
from harvesters.errors import NotTheListError


@pytest.mark.parametrize(
    ("text", "headings", "rows"),
    [
        # One heading short of its columns, as crosstables have it.
        (",2024年,2025年\n追手町,1,2\n栄町,3,4\n", ["", "2024年", "2025年"], 2),
        # A word among numbers is no second header.
        ("名称,定員\nA園,若干名\nB園,20\nC園,30\n", ["名称", "定員"], 3),
        ("名称,定員,面積\nA,-,-\nB,10,20\nC,30,40\n", ["名称", "定員", "面積"], 3),
        # Words alone: no numbers tell the headings from the rows.
        ("名称,,備考\n会館,本町,あり\n公民館,栄町,\n", ["名称", "", "備考"], 2),
        ("名称,所在地,備考\n鶴ヶ城,追手町,\n御薬園,花春町,庭園\n", ["名称", "所在地", "備考"], 2),
        # A first row with little in it.
        ("名称,住所,定員,備考\n一,,,\n二,栄町,20,体育館\n三,栄町,30,\n", None, 3),
        # Titles over several cells, on lines of their own.
        ("避難所,,,令和8年4月1日\n名称,町,緯度,経度\nA,栄,1.5,2.5\nB,東,3.5,4.5\n", None, 2),
        ("市有施設,\n平成30年度,\n名称,面積\nA,100\nB,200\n", ["名称", "面積"], 2),
        ("件数,,(単位:件)\n区分,種別,件数\n火災,建物,10\n救急,急病,90\n", None, 2),
        # Months, years and days count up above numbers; a year above years is one of them.
        ("地区,2024,2025\n追手町,100,200\n栄町,1,2\n", ["地区", "2024", "2025"], 2),
        ("地区,2024\n追手町,100\n栄町,90\n", ["地区", "2024"], 2),
        ("御薬園,1954\n会館,1998\n図書館,2011\n", ["1 列目", "2 列目"], 3),
        ("1,2,3,4\n10,20,30,40\n11,21,31,41\n", ["1", "2", "3", "4"], 2),
        # Notes before and after.
        ("※ 毎年更新,,\n名称,町,数\nA,栄,1\nB,東,2\n(注) 概数,,\n", ["名称", "町", "数"], 2),
        # A section inside the list stays: nobody knows what it means.
        ("名称,数\n【北部】,\nA,1\n【南部】,\nB,2\n", ["名称", "数"], 4),
        ("区分,種別,件数\n火災,建物,10\n,林野,2\n計,,12\n", ["区分", "種別", "件数"], 3),
        # One column alone.
        ("名称\n会館\n公民館\n", ["名称"], 2),
    ],
)
def test_the_header_is_found(text, headings, rows):
    """By what the columns below it hold."""
    sheet = intake.read(text.encode())
    assert len(sheet.rows) == rows
    if headings:
        assert sheet.headings == headings


def test_three_rows_of_headings_and_their_units():
    """Groups, parts, and a row of units below; triangles are numbers."""
    text = (
        "表1　事業所数,,,,\n,,,,(単位：所、人)\n産業,令和3年,,平成28年,\n,事業所,従業者,事業所,従業者\n"
        ",数,数,数,数\n農林,10,100,12,△1\n建設,500,4000,520,▲4\n製造,400,9000,430,9\n(注)民営のみ,,,,\n"
    )
    sheet = intake.read(text.encode("cp932"))
    assert sheet.headings == [
        "産業",
        "令和3年_事業所",
        "令和3年_従業者",
        "平成28年_事業所",
        "平成28年_従業者",
    ]
    assert [cells[0] for cells in sheet.rows] == ["農林", "建設", "製造"]
    roles = {row.number: row.role for row in sheet.others}
    assert roles[5] == "second header"
    assert roles[9] == "footnote"


def test_known_headings_decide():
    """A list whose header looks like data is found by its headings."""
    text = "1,2\n2020,2021\n種別,緯度\n消火栓,37.5\n"
    sheet = intake.read(text.encode(), ["種別", "緯度"])
    assert (sheet.header_row, sheet.rows) == (3, [["消火栓", "37.5"]])


def test_a_comma_too_many_is_refused_or_told():
    """With a value beyond the headings it is an error, with a blank one a warning."""
    with pytest.raises(NotTheListError) as refusal:
        intake.read("名称,数\nA,1,200\nB,3\n".encode())
    assert "2 行目" in refusal.value.words.ja
    sheet = intake.read("名称,数,備考\nA,1,200,\nB,3,\nC,4,\n".encode())
    assert any("2 行目" in note.ja and "コンマ" in note.ja for note in sheet.notes)


def test_a_last_row_that_may_be_whole_is_read():
    """Only a row that lacks what the others have is cut off."""
    assert intake.read("名称,数,備考\nA,1,\nB,2".encode()).rows[-1] == ["B", "2", ""]
    with pytest.raises(NotTheListError) as refusal:
        intake.read("名称,数,備考\nA,1,\nB".encode())
    assert "途中で終わって" in refusal.value.words.ja


def test_the_geometry_of_a_district_fits_into_a_cell():
    """Python's own limit is 131,072 characters."""
    polygon = "POLYGON((" + ",".join(["139.9 37.5"] * 20_000) + "))"
    assert intake.read(f'名称,形\nA,"{polygon}"\nB,\n'.encode()).rows[0][1] == polygon
