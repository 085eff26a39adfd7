"""Bytes as municipal offices send them become rows, or are refused with a reason."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harvesters import intake
from harvesters.errors import NotTheListError

JAPANESE = '会津若松市消火栓防火水槽追手町一丁目ぁあアｱ髙①㈱ー～0１2 ,"\n、'
EVERYWHERE = '会津若松市消火栓防火水槽追手町一丁目ぁあアー0１2 ,"\n、'


def written(rows, encoding, **dialect):
    text = io.StringIO()
    csv.writer(text, **dialect).writerows(rows)
    return text.getvalue().encode(encoding)


def cells(alphabet):
    return st.text(st.sampled_from(alphabet), min_size=1, max_size=12)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "euc-jp", "utf-16"])
def test_every_encoding_of_an_office_is_told_from_the_others(encoding):
    """UTF-8 with and without mark, CP932, EUC-JP and UTF-16 are read as what they are."""
    rows = [["種別", "緯度"], ["消火栓", "37.5"], ["防火水槽", "37.6"]]
    sheet = intake.read(written(rows, encoding), ["種別"])
    assert [sheet.headings, *sheet.rows] == rows
    assert sheet.encoding.removesuffix("-sig") == encoding.removesuffix("-sig")


@given(st.lists(st.tuples(cells(EVERYWHERE), cells(EVERYWHERE)), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_every_text_comes_back_from_every_encoding(rows):
    """Line breaks, quotes, commas and Japanese survive, whatever the encoding."""
    rows = [(f"x{left}", f"y{right}") for left, right in rows]  # a blank row would be left out
    for encoding in ("utf-8-sig", "cp932", "euc-jp"):
        sheet = intake.read(written([("種別", "備考"), *rows], encoding), ["種別", "備考"])
        assert sheet.rows == [list(row) for row in rows], encoding


@given(st.lists(cells(JAPANESE), min_size=1, max_size=8))
@settings(max_examples=40, deadline=None)
def test_characters_that_only_cp932_has_come_back(values):
    """髙, ①, ㈱ and half-width kana are read from CP932, where Excel puts them."""
    rows = [[f"x{value}"] for value in values]
    assert intake.read(written([["種別"], *rows], "cp932"), ["種別"]).rows == rows


def test_excel_unicode_text_is_tab_separated():
    """What Excel calls Unicode text, UTF-16 with tabs, is read like a CSV file."""
    content = written([["種別", "備考"], ["消火栓", "a,b"]], "utf-16", delimiter="\t")
    assert intake.read(content, ["種別"]).rows == [["消火栓", "a,b"]]


def test_blank_rows_and_columns_at_the_edges_are_left_out():
    """Rows and columns that Excel left blank are no data, and the report says that they were there."""
    sheet = intake.read(
        "\r\n種別,備考,,\r\n消火栓,a,,\r\n,,,\r\n井戸,b,,\r\n,,,\r\n".encode(), ["種別"]
    )
    assert (sheet.headings, sheet.rows) == (["種別", "備考"], [["消火栓", "a"], ["井戸", "b"]])
    assert sheet.row_numbers == [3, 5]
    assert "2" in sheet.notes[0].ja


def test_empty_cells_that_excel_leaves_out_are_filled_in_and_recorded():
    """A short row is filled up with empty cells, each of them recorded."""
    sheet = intake.read("種別,備考\r\n消火栓\r\n井戸,b\r\n".encode(), ["種別"])
    assert sheet.rows == [["消火栓", ""], ["井戸", "b"]]
    assert [(r.row, r.column, r.rule) for r in sheet.repairs] == [(2, "備考", "short-row")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "空です"),
        (b" \r\n ", "空です"),
        ("種別,備考\r\n".encode(), "行がありません"),
        (b"<!DOCTYPE html><title>Maintenance</title>", "Maintenance"),
        (b"\n <html><body>503</body></html>", "ウェブページ"),
        (b'<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>', "NoSuchKey"),
        (b'{"error": "not found"}', "JSON"),
        ('{"rooms": [\r\n{"free": 1},\r\n{"free": 2}]}'.encode("utf-16"), "JSON"),
        (b'{"a":' * 100_000, "深すぎます"),
        (b'{"a": 1,\n"b": "\\ud83d"}', "2 行目付近の \\ud83d"),
        (b"PK\x03\x04abc", "xlsx"),
        (b"\xd0\xcf\x11\xe0abc", "xls"),
        (b"%PDF-1.7", "PDF"),
        (b"a,b\n1,\x00\x01\n", "2 行目"),
        ("種別,備考\r\n消火栓,a\r\n".encode("cp932") + "防火水槽".encode(), "文字コード"),
        ("種別,備考\r\n消火栓,a,b\r\n".encode(), "2 行目"),
        ('種別,備考\r\n消火栓,"a\r\n井戸,b\r\n'.encode(), "引用符"),
        ("種別,備考\r\n消火栓,a\r\n井".encode(), "途中で終わって"),
    ],
)
def test_what_is_no_list_is_refused_with_its_reason(content, said):
    """Nothing, a page, JSON, a workbook, mixed encodings, a cut-off file: each is called by name."""
    with pytest.raises(NotTheListError) as refusal:
        intake.read(content, ["種別"])
    assert said in refusal.value.words.ja
    assert refusal.value.words.en


def test_the_end_sign_of_old_systems_is_no_value():
    """Ctrl+Z behind the last row is left out and told; anywhere else it is no text."""
    sheet = intake.read("種別,備考\r\n消火栓,a\r\n\x1a".encode("cp932"))
    assert sheet.rows == [["消火栓", "a"]]
    assert ["Ctrl+Z" in note.en for note in sheet.notes] == [True]
    with pytest.raises(NotTheListError, match="line 2"):
        intake.read("種別,備考\r\n消\x1a火栓,a\r\n".encode("cp932"))


@given(st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_no_bytes_bring_the_intake_down(content):
    """Whatever comes, it is a table or a refusal."""
    try:
        sheet = intake.read(content, ["種別"])
    except NotTheListError as refusal:
        assert refusal.words.ja
        return
    assert {len(row) for row in sheet.rows} == {len(sheet.headings)}
