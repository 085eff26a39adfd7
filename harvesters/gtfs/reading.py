"""The bytes of one GTFS file to a frame of texts: encoding, line ends, headings, widths, spaces.

Polars reads the cells: a million stop times in about a second, as columns that every later check can
work on whole. Its reader fills and cuts ragged rows in silence, so the lines are counted first; the
few files whose quotes are not plain go through Python's csv module.
"""

import codecs
import csv
import io
import re
from dataclasses import dataclass

import polars as pl

from harvesters.gtfs.findings import ROW, Findings

BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
ENCODING_NAMES = {
    "cp932": "Shift_JIS (CP932)",
    "euc_jp": "EUC-JP",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
}
DAMAGED = "utf-8 (damaged)"
JAPANESE = re.compile("[\u3041-\u30ff\u4e00-\u9fff\uff10-\uff5a]{2}")
PLAIN_QUOTES = r'^(?:[^",]*|"(?:[^"]|"")*")(?:,(?:[^",]*|"(?:[^"]|"")*"))*$'
BLANK = r'^\s*("\s*")?\s*(,\s*("\s*")?\s*)*$'
QUOTED = r'"(?:[^"]|"")*"'


@dataclass(frozen=True, kw_only=True)
class File:
    """How one file of the feed is written."""

    name: str
    bytes: int
    encoding: str
    line_end: str
    rows: int


def read(name: str, content: bytes, findings: Findings) -> tuple[File, pl.DataFrame]:
    """Stripped cells, blanks as null, in front of them the number of the row in the file."""
    size = len(content)
    encoding, content = _as_utf8(name, content, findings)
    line_end, content = _line_ends(name, content, findings)
    lines = _lines(name, content, findings)
    headings = _headings(name, lines, findings)
    frame = _frame(name, lines, headings, findings) if headings else pl.DataFrame()
    file = File(name=name, bytes=size, encoding=encoding, line_end=line_end, rows=frame.height)
    return file, frame


def _as_utf8(name: str, content: bytes, findings: Findings) -> tuple[str, bytes]:
    """GTFS is UTF-8; what is not is read as what it is, and said."""
    encoding = _encoding(content)
    if encoding in ENCODING_NAMES:
        findings.add("wrong_encoding", name, detail=ENCODING_NAMES[encoding])
    if encoding == "utf-8":
        return encoding, content
    text = content.decode("utf-8" if encoding == DAMAGED else encoding, "replace")
    return encoding, text.encode()


def _encoding(content: bytes) -> str:
    for bom, encoding in BOMS.items():
        if content.startswith(bom):
            return encoding
    if b"\0" in content[:2]:
        return "utf-16-le" if content[1:2] == b"\0" else "utf-16-be"
    if _is_utf8(content):
        return "utf-8"
    return next((one for one in ("cp932", "euc_jp") if _is_japanese(content, one)), DAMAGED)


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _is_japanese(content: bytes, encoding: str) -> bool:
    """One foreign letter in a file of UTF-8 is a damaged letter, not another encoding."""
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        return False
    broken = content.decode("utf-8", "replace")
    whole = sum(1 for letter in broken if letter > "\x7f" and letter != "\ufffd")
    return bool(JAPANESE.search(text)) and broken.count("\ufffd") > whole


def _line_ends(name: str, content: bytes, findings: Findings) -> tuple[str, bytes]:
    """Carriage returns alone end lines on no system of this century, and many readers see one line."""
    if b"\r" not in content:
        return "LF", content
    crlf = content.count(b"\r\n")
    alone = content.count(b"\r") - crlf
    if alone and b'"' not in content:
        findings.add("wrong_line_ending", name, value=alone, detail=alone)
    kinds = {"CRLF": crlf, "CR": alone, "LF": content.count(b"\n") - crlf}
    used = "+".join(kind for kind, count in kinds.items() if count)
    return used, content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _lines(name: str, content: bytes, findings: Findings) -> pl.DataFrame:
    """A line for each record; where a quoted value may hold a line break, csv must look."""
    lines = pl.DataFrame({"line": _split(content)}).with_row_index(ROW, offset=1)
    if b'"' not in content:
        return lines
    plain = pl.col("line").str.contains('"', literal=True).not_() | pl.col("line").str.contains(
        PLAIN_QUOTES
    )
    return lines if lines.select(plain.all()).item() else _records(name, content, findings)


def _split(content: bytes) -> pl.Series:
    content = content.removesuffix(b"\n")
    return pl.Series([content], dtype=pl.Binary).cast(pl.String).str.split("\n").explode()


def _records(name: str, content: bytes, findings: Findings) -> pl.DataFrame:
    """Each record on one line with plain quotes; a line break inside a value becomes U+2028."""
    written = [
        _quoted([cell.replace("\n", "\u2028") for cell in cells])
        for cells in _csv_rows(name, content.decode(), findings)
    ]
    return pl.DataFrame({"line": written}, schema={"line": pl.String}).with_row_index(ROW, offset=1)


def _csv_rows(name: str, text: str, findings: Findings) -> list[list[str]]:
    """An opened quote that is never closed swallows every row below it; that is said."""
    rows: list[list[str]] = []
    try:
        for cells in csv.reader(io.StringIO(text, newline=""), skipinitialspace=True):
            rows.append(cells)
    except csv.Error as error:  # a value without end; the rows before it are kept
        findings.add("csv_parsing_failed", name, row=len(rows) + 1, detail=error)
        return rows
    broken = [number for number, cells in enumerate(rows, 1) if any("\n" in cell for cell in cells)]
    if broken and text.count('"') % 2:
        findings.add("csv_parsing_failed", name, row=broken[-1], detail="quotes do not match")
    return rows


def _first(lines: pl.DataFrame) -> int:
    """The row of the headings: the first that is not blank."""
    filled = lines.filter(pl.col("line").str.strip_chars().str.len_bytes() > 0)
    return int(filled[ROW][0]) if filled.height else 0


def _headings(name: str, lines: pl.DataFrame, findings: Findings) -> list[str]:
    first = _first(lines)
    if not first:
        findings.add("empty_file", name)
        return []
    written = next(csv.reader([lines.filter(pl.col(ROW) == first)["line"][0]]))
    headings = [heading.strip() for heading in written]
    for number, (before, heading) in enumerate(zip(written, headings, strict=True), 1):
        if before != heading:
            findings.add("leading_or_trailing_whitespaces", name, heading, first, before)
        if not heading:
            findings.add("empty_column_name", name, row=first, value=number, detail=number)
        elif heading in headings[: number - 1]:
            findings.add("duplicated_column", name, heading, first)
    return headings


def _frame(name: str, lines: pl.DataFrame, headings: list[str], findings: Findings) -> pl.DataFrame:
    """The rows below the headings, without blank ones, each as wide as the headings."""
    line = pl.col("line")
    records = lines.filter((pl.col(ROW) > _first(lines)) & (line.str.len_bytes() > 0))
    blank = records.filter(line.str.contains(BLANK))
    if blank.height:
        findings.add_rows("empty_row", name, "", blank.select(ROW))
        records = records.join(blank.select(ROW), on=ROW, how="anti")
    outside = line.str.replace_all(QUOTED, "") if _has_quotes(records) else line
    width = (outside.str.count_matches(",", literal=True) + 1).alias("cells")
    ragged = records.filter(width != len(headings)).with_columns(width, expected=len(headings))
    findings.add_rows("invalid_row_length", name, "", ragged, value="line")
    if ragged.height:
        records = _squared(records, ragged.select(ROW), len(headings))
    return _cells(name, records, headings, findings)


def _has_quotes(records: pl.DataFrame) -> bool:
    return bool(records["line"].str.contains('"', literal=True).any())


def _squared(records: pl.DataFrame, ragged: pl.DataFrame, width: int) -> pl.DataFrame:
    """Short rows filled with blanks, long ones cut, so that what they hold is checked all the same."""
    bad = records.join(ragged, on=ROW, how="semi")
    good = records.join(ragged, on=ROW, how="anti")
    cells = (next(csv.reader([line])) for line in bad["line"])
    lines = [_quoted((row + [""] * width)[:width]) for row in cells]
    squared = bad.with_columns(line=pl.Series(lines, dtype=pl.String))
    return pl.concat([good, squared]).sort(ROW)


def _quoted(cells: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="").writerow(cells)
    return out.getvalue()


def _cells(
    name: str, records: pl.DataFrame, headings: list[str], findings: Findings
) -> pl.DataFrame:
    """Columns without a name, and those named twice, are read past."""
    kept = [
        number
        for number, heading in enumerate(headings)
        if heading and heading not in headings[:number]
    ]
    names = [f"column_{number + 1}" for number in range(len(headings))]
    cells = (
        _parse(records, names)
        if records.height
        else pl.DataFrame(schema=dict.fromkeys(names, pl.String))
    )
    frame = cells.select(pl.col(names[number]).alias(headings[number]) for number in kept)
    frame = frame.insert_column(0, records[ROW])
    return _strip(name, frame, findings)


def _parse(records: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """Polars takes a mark at the beginning away: with one of ours, the first cell may begin with it."""
    return pl.read_csv(
        codecs.BOM_UTF8 + records["line"].str.join("\n").item().encode(),
        has_header=False,
        new_columns=names,
        infer_schema=False,
        quote_char='"',
    )


def _strip(name: str, frame: pl.DataFrame, findings: Findings) -> pl.DataFrame:
    """Spaces around a value are taken away and said; unreadable letters stay and are said."""
    stripped = []
    for column in frame.columns[1:]:
        cells = frame[column]
        if cells.str.contains("\u2028", literal=True).any():
            cells = cells.str.replace_all("\u2028", "\n", literal=True)
        padded = cells.str.contains(r"^\s|\s$")
        if padded.any():
            _report(name, frame, cells, padded, "leading_or_trailing_whitespaces", findings)
            cells = cells.str.strip_chars()
        clean = cells.set(cells == "", None)
        for rule, pattern in (("invalid_character", "[\ufffd\\x00]"), ("new_line_in_value", "\n")):
            _report(name, frame, clean, clean.str.contains(pattern), rule, findings)
        stripped.append(clean)
    return pl.DataFrame([frame[ROW], *stripped])


def _report(
    name: str,
    frame: pl.DataFrame,
    cells: pl.Series,
    mask: pl.Series,
    rule: str,
    findings: Findings,
) -> None:
    if mask.any():
        found = pl.DataFrame([frame[ROW], cells]).filter(mask)
        findings.add_rows(rule, name, cells.name, found)
