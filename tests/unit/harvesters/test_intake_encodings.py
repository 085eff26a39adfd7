"""Every encoding of an office is told from the others, also in a heading and two rows."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harvesters import intake
from harvesters.errors import NotTheListError

ENCODINGS = (
    "utf-8",
    "utf-8-sig",
    "cp932",
    "euc-jp",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "iso2022_jp_ext",
)
WORDS = (
    "会津若松市",
    "消火栓",
    "防火水槽",
    "追手町一丁目",
    "あいづ総合運動公園",
    "トイレ",
    "公民館（北部）",
    "令和8年度開設",
    "○",
    "栄町３の５０",
    "1,234人と2匹",
    "土日・祝日",
    '「会館」"中央"',
    "北側\n入口",
    "a;b",
    "要予約\t電話",
)
HEADINGS = ["名称", "所在地", "備考", "種別", "電話番号"]


def written(rows, encoding, delimiter):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode(encoding)


@given(
    st.lists(st.lists(st.sampled_from(WORDS), min_size=3, max_size=3), min_size=2, max_size=12),
    st.permutations(HEADINGS),
    st.sampled_from(ENCODINGS),
    st.sampled_from(",\t;"),
)
@settings(max_examples=400, deadline=None)
def test_a_table_comes_back_from_every_encoding_and_dialect(rows, headings, encoding, delimiter):
    """Line breaks, quotes, other delimiters and Japanese survive, without a known heading."""
    sheet = intake.read(written([headings[:3], *rows], encoding, delimiter))
    assert [sheet.headings, *sheet.rows] == [headings[:3], *rows]
    assert sheet.delimiter == delimiter


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    "text",
    [
        "ID,名称\n1,学区\n",
        "カナ,ﾌﾘｶﾞﾅ\nア,ｱ\n",
        "名称,数\nａ,１\n",
        "番号,氏名\n1,若松\n2,北会津\n",
        "a,b\n1,2\n",
    ],
)
def test_few_characters_are_enough(encoding, text):
    """A heading and a row or two, as re-saved samples and small lists have."""
    sheet = intake.read(text.encode(encoding))
    assert [sheet.headings, *sheet.rows] == [line.split(",") for line in text.splitlines()]


def test_a_list_in_half_width_kana_alone_is_no_euc():
    """The bytes would be kanji in EUC-JP; sound marks stand only where kana have them."""
    text = "NO,KANA\n1,ｱｲﾂﾞﾜｶﾏﾂｼ\n2,ｵｳﾃﾏﾁ\n"
    assert intake.read(text.encode("cp932")).rows == [["1", "ｱｲﾂﾞﾜｶﾏﾂｼ"], ["2", "ｵｳﾃﾏﾁ"]]


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (
            [
                ("種別,名称\n消火栓,一\n", "cp932"),
                ("防火水槽,二\n", "utf-8"),
                ("井戸,三\n", "cp932"),
            ],
            "3",
        ),
        (
            [
                ("種別,名称\n消火栓,一\n", "utf-8"),
                ("防火水槽,二\n", "cp932"),
                ("井戸,三\n", "utf-8"),
            ],
            "3",
        ),
    ],
)
def test_mixed_encodings_are_refused_by_line(parts, said):
    """The lines that are unlike the others are named."""
    content = b"".join(text.encode(encoding) for text, encoding in parts)
    with pytest.raises(NotTheListError) as refusal:
        intake.read(content)
    assert "文字コード" in refusal.value.words.ja or "文字ではない" in refusal.value.words.ja
    assert said in refusal.value.words.ja
    assert said in refusal.value.words.en


def test_a_file_cut_off_inside_a_character_is_refused_where_it_ends():
    """Half a character at the end does not turn the whole file into another encoding."""
    content = "種別,名称\n消火栓,一丁目\n防火水槽,二丁目".encode()[:-1]
    with pytest.raises(NotTheListError) as refusal:
        intake.read(content)
    assert "3" in refusal.value.words.ja
    assert "途中で" in refusal.value.words.ja


def test_characters_that_were_lost_before_are_told():
    """U+FFFD stands where an earlier program could not read; nobody can repair it."""
    sheet = intake.read("名称,数\n会\ufffd,1\n公民館,2\n".encode())
    assert any("2 行目" in note.ja and "\ufffd" in note.ja for note in sheet.notes)
