"""The bytes of one file become rows, whatever its encoding, line ends and quotes."""

import csv
import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harvesters.gtfs.findings import ROW, Findings, rules
from harvesters.gtfs.reading import read

PLAIN = "stop_id,stop_name\nA,駅前\nB,城前\n"
ROWS = [
    {ROW: 2, "stop_id": "A", "stop_name": "駅前"},
    {ROW: 3, "stop_id": "B", "stop_name": "城前"},
]


def reading(content):
    """How it is written, the rows, and the rules that were broken."""
    findings = Findings(rules=rules("static"))
    file, frame = read("stops.txt", content, findings)
    return file, frame.to_dicts(), findings.by_rule()


@pytest.mark.parametrize(
    ("content", "encoding", "line_end", "told"),
    [
        (PLAIN.encode(), "utf-8", "LF", {}),
        (PLAIN.encode("utf-8-sig"), "utf-8-sig", "LF", {}),
        (PLAIN.replace("\n", "\r\n").encode(), "utf-8", "CRLF", {}),
        (PLAIN.replace("\n", "\r").encode(), "utf-8", "CR", {"wrong_line_ending": 1}),
        (PLAIN.replace("\n", "\r\n", 1).encode(), "utf-8", "CRLF+LF", {}),
        (PLAIN.removesuffix("\n").encode(), "utf-8", "LF", {}),
        (PLAIN.encode("cp932"), "cp932", "LF", {"wrong_encoding": 1}),
        (PLAIN.encode("euc_jp"), "euc_jp", "LF", {"wrong_encoding": 1}),
        (PLAIN.encode("utf-16"), "utf-16", "LF", {"wrong_encoding": 1}),
        (PLAIN.encode("utf-16-le"), "utf-16-le", "LF", {"wrong_encoding": 1}),
        (PLAIN.replace("駅前", '"駅前"').encode(), "utf-8", "LF", {}),
        (f"\n{PLAIN}".encode(), "utf-8", "LF", {}),
        (PLAIN.replace("駅前", " 駅前　").encode(), "utf-8", "LF", {"leading_or_trailing_whitespaces": 1}),
        (PLAIN.replace("stop_name", " stop_name ").encode(), "utf-8", "LF", {"leading_or_trailing_whitespaces": 1}),
    ],
)  # fmt: skip
def test_the_rows_are_the_same_in_every_dress(content, encoding, line_end, told):
    """What is unusual is said."""
    file, rows, broken = reading(content)
    first = 1 if content.startswith(b"\n") else 0
    assert [row | {ROW: row[ROW] - first} for row in rows] == ROWS
    assert (file.encoding, file.line_end, broken) == (encoding, line_end, told)


def test_blank_cells_are_nothing_and_blank_rows_are_passed_over():
    """Their numbers are counted all the same."""
    _, rows, broken = reading(b'stop_id,stop_name\nA,\n\n,\nB,""\n \n')
    assert rows == [
        {ROW: 2, "stop_id": "A", "stop_name": None},
        {ROW: 5, "stop_id": "B", "stop_name": None},
    ]
    assert broken == {"empty_row": 2}


def test_ragged_rows_are_kept_and_said():
    """Missing values are blank, extra ones left out, commas in quotes are none."""
    _, rows, broken = reading(b'stop_id,stop_name\nA\nB,b,c\nC,"c,d"\n')
    assert [(row["stop_id"], row["stop_name"]) for row in rows] == [
        ("A", None), ("B", "b"), ("C", "c,d")
    ]  # fmt: skip
    assert broken == {"invalid_row_length": 2}


def test_a_quote_that_never_closes_is_said():
    """It would swallow every row below."""
    _, _, broken = reading(b'stop_id,stop_name\nA,"a\nB,b\nC,c\n')
    assert broken["csv_parsing_failed"] == 1


def test_damaged_letters_in_utf_8_do_not_make_another_encoding():
    """One broken letter among good ones is that, not Shift_JIS."""
    file, _, broken = reading(PLAIN.encode().replace("城".encode(), b"\x8f\xe9"))
    assert file.encoding == "utf-8 (damaged)"
    assert broken == {"invalid_character": 1}


@pytest.mark.parametrize("content", [b"", b"\n", b"\xef\xbb\xbf", b" \r\n \r\n"])
def test_a_file_without_headings_is_empty(content):
    """And is said to be, instead of failing."""
    assert reading(content)[1:] == ([], {"empty_file": 1})


LETTERS = st.characters(
    codec="utf-8",
    exclude_categories=["Cs", "Cc"],
    exclude_characters="\ufffd\u2028",
    include_characters="\n",
)
CELLS = st.text(LETTERS, max_size=8)


@settings(max_examples=150, deadline=None)
@example([["\ufeff", ""]], csv.QUOTE_MINIMAL)
@given(
    st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=6),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_cells_come_out_as_they_were_written(rows, quoting):
    """Quotes, commas, line breaks and any letter, through the fast way and the careful one."""
    text = io.StringIO()
    csv.writer(text, quoting=quoting).writerows([["a", "b"], *rows])
    _, frame, _ = reading(text.getvalue().encode())
    filled = [[cell.strip() or None for cell in row] for row in rows]
    read_back = [[row["a"], row["b"]] for row in frame]
    blank = [None, None]
    assert [row for row in read_back if row != blank] == [row for row in filled if row != blank]
