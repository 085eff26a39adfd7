"""Bytes as municipal offices send them, to the rows of a table: encoding, delimiter, blank edges."""

import codecs
import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from harvesters.errors import NotTheListError
from harvesters.japanese import heading_key
from harvesters.source import Repair
from harvesters.words import Words

ENCODINGS = ("utf-8-sig", "cp932", "euc-jp")
"""Tried strictly in this order; statistics are wrong too often on lists of names."""

BINARY = {
    b"PK\x03\x04": Words("Excel（xlsx）または zip", "an Excel workbook (xlsx) or a zip"),
    b"\xd0\xcf\x11\xe0": Words("古い Excel（xls）", "an old Excel workbook (xls)"),
    b"%PDF": Words("PDF", "a PDF"),
    b"\x1f\x8b": Words("gzip", "a gzip archive"),
}
CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
JAPANESE = re.compile("[\u3040-\u9fff]")
PAGE = re.compile(r"\s*(<!doctype html|<html|<\?xml|<head|<body|<script|<!--)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """The cells of a list: one heading row, and rows of the same width below it."""

    encoding: str
    headings: list[str]
    rows: list[list[str]]
    row_numbers: list[int]
    repairs: list[Repair] = field(default_factory=list)
    notes: list[Words] = field(default_factory=list)


def read(content: bytes, known_headings: Iterable[str]) -> Sheet:
    """The table inside a file; knowing the headings helps to tell one encoding from another."""
    _refuse_binary(content)
    encoding, text = _decode(content, {heading_key(heading) for heading in known_headings})
    _refuse_other_text(text)
    records = _records(text)
    if len(records) < 2:
        raise NotTheListError(
            "見出しの下に行がありません。空の一覧は公開しません。",
            "there is no row below the headings; an empty list is not published",
        )
    return _sheet(encoding, records, ends_well=text.endswith(("\n", "\r")))


def _refuse_binary(content: bytes) -> None:
    if not content.strip():
        raise NotTheListError(
            f"ファイルが空です（{len(content)} バイト）。",
            f"the file is empty ({len(content)} bytes)",
        )
    for start, kind in BINARY.items():
        if content.startswith(start):
            raise NotTheListError(
                f"CSV ではなく {kind.ja} です。CSV で保存したものを渡してください。",
                f"this is {kind.en}, not a CSV file; hand over the list saved as CSV",
            )


def _decode(content: bytes, known: set[str]) -> tuple[str, str]:
    """The first encoding that fits strictly and shows a known heading, else the first that fits."""
    fitting, failures = [], []
    for encoding in _candidates(content):
        try:
            fitting.append((encoding, content.decode(encoding)))
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            failures.append(f"{line} ({encoding})")
    if not fitting:
        _refuse_encoding(failures)
    if fitting[0][0] == "cp932":
        _refuse_mixed(content)
    for encoding, text in fitting:
        first = text.lstrip().partition("\n")[0]
        if known & {heading_key(cell.strip('"')) for cell in re.split(r"[,\t]", first)}:
            return encoding, text
    return fitting[0]


def _candidates(content: bytes) -> tuple[str, ...]:
    """A byte order mark leaves no choice."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ("utf-16",)
    return ENCODINGS[:1] if content.startswith(codecs.BOM_UTF8) else ENCODINGS


def _refuse_encoding(failures: list[str]) -> None:
    lines = ", ".join(failures)
    raise NotTheListError(
        f"文字コードが分かりません。最初に読めなくなる行は {lines}。"
        "UTF-8 か Shift_JIS（CP932）のどちらか一つで保存し直してください。",
        f"unknown encoding; the first unreadable lines are {lines}. "
        "Save the list again in UTF-8 or in Shift_JIS (CP932), and in one of them only.",
    )


def _refuse_mixed(content: bytes) -> None:
    """UTF-8 lines inside CP932 often decode without an error, into other characters."""
    for number, line in enumerate(content.split(b"\n"), 1):
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError:
            continue
        if JAPANESE.search(text):
            raise NotTheListError(
                f"文字コードが混ざっています。{number} 行目だけ UTF-8 のようです。"
                "全体を UTF-8 か Shift_JIS のどちらか一つで保存し直してください。",
                f"mixed encodings: line {number} seems to be UTF-8, others are not. "
                "Save the whole list again in one encoding.",
            )


def _refuse_other_text(text: str) -> None:
    if PAGE.match(text):
        raise NotTheListError(
            "CSV ではなくウェブページ（HTML か XML）です。エラー画面が返ったようです: "
            f"{_glimpse(text)}",
            f"this is a web page (HTML or XML), not a CSV file, maybe an error page: "
            f"{_glimpse(text)}",
        )
    if text.lstrip().startswith(("{", "[")):
        raise NotTheListError(
            f"CSV ではなく JSON です: {_glimpse(text)}", f"this is JSON, not CSV: {_glimpse(text)}"
        )
    if control := CONTROL.search(text):
        line = text.count("\n", 0, control.start()) + 1
        raise NotTheListError(
            f"{line} 行目に文字ではない値があります。CSV ファイルではないようです。",
            f"line {line} holds something that is not text; this does not look like a CSV file",
        )


def _glimpse(text: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", text[:2000]).split())[:80] or text.strip()[:80]


def _records(text: str) -> list[tuple[int, list[str]]]:
    """Rows with their numbers as a spreadsheet counts them, without the blank ones."""
    first = text.lstrip().partition("\n")[0]
    delimiter = "\t" if "\t" in first and "," not in first else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        return [
            (number, cells) for number, cells in enumerate(reader, 1) if any(map(str.strip, cells))
        ]
    except csv.Error as error:
        raise NotTheListError(
            f"{reader.line_num} 行目あたりで引用符が合いません。ファイルが途中で切れているか、"
            f'値の中の " が二重になっていません（{error}）。',
            f"quotes do not match near line {reader.line_num}: the file was cut off, or a "
            f'" inside a value is not doubled ({error})',
        ) from error


def _sheet(encoding: str, records: list[tuple[int, list[str]]], ends_well: bool) -> Sheet:
    _, headings = records[0]
    width = max(number for number, heading in enumerate(headings, 1) if heading.strip())
    headings = [heading.strip() for heading in headings[:width]]
    sheet = Sheet(encoding=encoding, headings=headings, rows=[], row_numbers=[])
    for number, cells in records[1:]:
        if any(cell.strip() for cell in cells[width:]):
            _refuse_wide(number, len(cells), width)
        last = number == records[-1][0]
        if len(cells) < width and last and not ends_well:
            _refuse_cut(number, len(cells), width)
        _note_short(sheet, number, cells)
        sheet.rows.append((cells + [""] * width)[:width])
        sheet.row_numbers.append(number)
    _note_blank(sheet, records[0][0], records[-1][0])
    return sheet


def _refuse_wide(number: int, cells: int, width: int) -> None:
    raise NotTheListError(
        f"{number} 行目に {cells} 個の値がありますが、見出しは {width} 個です。"
        "値の中のコンマを確かめてください。",
        f"row {number} has {cells} values, but there are {width} headings; "
        "look for a comma inside a value",
    )


def _refuse_cut(number: int, cells: int, width: int) -> None:
    raise NotTheListError(
        f"ファイルが {number} 行目の途中で終わっています（{width} 個の値のうち {cells} 個）。"
        "もう一度取得してください。",
        f"the file ends in the middle of row {number} ({cells} of {width} values); fetch it again",
    )


def _note_short(sheet: Sheet, number: int, cells: list[str]) -> None:
    """Excel leaves out empty cells at the end of a row; they are filled in, and it is said."""
    sheet.repairs.extend(
        Repair(row=number, column=heading, before="", after="", rule="short-row")
        for heading in sheet.headings[len(cells) :]
    )


def _note_blank(sheet: Sheet, first: int, last: int) -> None:
    blank = last - first - len(sheet.rows)
    if blank or first > 1:
        count = blank + first - 1
        sheet.notes.append(
            Words(f"空の行を {count} 行除きました。", f"{count} blank rows left out.")
        )
