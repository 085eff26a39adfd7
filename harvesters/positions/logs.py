"""CSV logs as columns of text: plain ones at the speed of Polars, all others through the intake."""

import codecs
import io

import polars as pl

from harvesters import intake
from harvesters.errors import ColumnsError
from harvesters.intake import Sheet
from harvesters.intake.sheet import SHORT
from harvesters.intake.telling import spans
from harvesters.positions.geometry import KEYS, points_of
from harvesters.positions.headings import fold
from harvesters.positions.raw import Raw
from harvesters.source import Repair
from harvesters.words import Words

HEAD_BYTES = 64 * 1024
CHUNK = 4 * 1024 * 1024
ENDS = (b"\n", b"\r")
NEVER = "\x1f"
"""A separator that stands in no log, so that a line is one cell."""
SHOWN = 10
"""Row numbers in a note."""


def read(content: bytes, known: list[str]) -> Raw:
    """The rows of a log; whatever is not plain goes the slow way, which mends, names or refuses."""
    sheet = _head(content, known)
    raw = _plain(content, sheet) if sheet else None
    if raw is None:
        whole = intake.read(content, known)
        rows = pl.Series(whole.row_numbers, dtype=pl.UInt32)
        raw = _raw(_frame(whole), rows, whole.encoding, whole.repairs, whole.notes)
    return raw


def _head(content: bytes, known: list[str]) -> Sheet | None:
    """What the intake makes of the first rows; nothing where they are more than headings and rows."""
    if not content.strip() or content.startswith(b"PK\x03\x04"):
        return None
    end = content.rfind(b"\n", 0, HEAD_BYTES) + 1 if len(content) > HEAD_BYTES else len(content)
    if not end or content[:end].count(b'"') % 2:
        return None
    sheet = intake.read(content[:end], known)
    alone = len(set(sheet.headings)) == len(sheet.headings) and all(sheet.headings)
    odd = {row.role for row in sheet.others} - {"header", "blank"}
    odd |= {repair.rule for repair in sheet.repairs} - {SHORT}
    return sheet if sheet.header_row == 1 and sheet.delimiter and alone and not odd else None


def _plain(content: bytes, sheet: Sheet) -> Raw | None:
    """The whole log, or nothing where quotes, widths or the encoding are not in order."""
    separator, width = sheet.delimiter, len(sheet.headings)
    try:
        text = _in_utf8(content, sheet.encoding)
        frame = pl.read_csv(
            text, separator=separator, infer_schema=False, empty_string_is_null=False
        )
    except (pl.exceptions.PolarsError, UnicodeDecodeError):
        return None
    if frame.width != width or text.count(b'"') % 2:
        return None
    frame.columns = sheet.headings
    if text.count(separator.encode()) == (frame.height + 1) * (width - 1):
        return _raw(frame, _counted(frame), sheet.encoding, [], [])
    if b'"' in text:
        return None
    widths = _widths(text, separator)
    cut_off = not text.endswith(ENDS) and widths[-1] < width
    return None if cut_off else _tidied(frame, widths, sheet.encoding)


def _counted(frame: pl.DataFrame) -> pl.Series:
    """As a spreadsheet counts: the headings are row 1."""
    return pl.Series(range(2, frame.height + 2), dtype=pl.UInt32)


def _widths(text: bytes, separator: str) -> pl.Series:
    """How many cells each line has; 0 for a blank one."""
    lines = pl.read_csv(text, separator=NEVER, quote_char=None, infer_schema=False).to_series()
    return (lines.str.count_matches(separator, literal=True) + 1).fill_null(0)


def _in_utf8(content: bytes, encoding: str) -> bytes:
    """Piece by piece: the text as Python holds it is larger than the bytes."""
    if encoding in {"utf-8-sig", "utf-8"}:
        return content
    decoder = codecs.getincrementaldecoder(encoding)()
    text = io.BytesIO()
    for start in range(0, len(content), CHUNK):
        text.write(decoder.decode(content[start : start + CHUNK]).encode())
    text.write(decoder.decode(b"", final=True).encode())
    return text.getvalue()


def _tidied(frame: pl.DataFrame, widths: pl.Series, encoding: str) -> Raw:
    """Blank rows are left out, cells that are missing at the end of a row are blank; both are said."""
    rows = _counted(frame)
    blank = frame.select(pl.all_horizontal(pl.all() == "")).to_series()
    repairs = [
        Repair(row=rows[place], column=name, before="", after="", rule=SHORT)
        for place in (~blank & (widths < frame.width)).arg_true()
        for name in frame.columns[widths[place] :]
    ]
    notes = [_blank_rows(rows.filter(blank))] if blank.any() else []
    return _raw(frame.filter(~blank), rows.filter(~blank), encoding, repairs, notes)


def _blank_rows(rows: pl.Series) -> Words:
    numbers = spans(rows.head(SHOWN).to_list()) + ("…" if len(rows) > SHOWN else "")
    return Words(
        f"空の行を {len(rows):,} 行除きました（{numbers} 行目）。",
        f"{len(rows):,} blank rows left out (rows {numbers}).",
    )


def _frame(sheet: Sheet) -> pl.DataFrame:
    if len(set(sheet.headings)) < len(sheet.headings) or not all(sheet.headings):
        shown = "、".join(sheet.headings)
        raise ColumnsError(
            f"見出しが空か、同じ見出しが 2 回あります: {shown}",
            f"a heading is blank or occurs twice: {', '.join(sheet.headings)}",
        )
    columns = [list(column) for column in zip(*sheet.rows, strict=True)]
    return pl.DataFrame(dict(zip(sheet.headings, columns, strict=True)), infer_schema_length=None)


def _raw(
    frame: pl.DataFrame, rows: pl.Series, encoding: str, repairs: list[Repair], notes: list[Words]
) -> Raw:
    """A column of geometries becomes the places of the records."""
    geometry = next((name for name in frame.columns if _is_geometry(name, frame[name])), "")
    places = None
    if geometry:
        known = {text: points_of("", text) or [] for text in frame[geometry].unique()}
        places = [known[text] for text in frame[geometry]]
        frame = frame.drop(geometry)
    return Raw(
        shape=Words(f"表、{frame.height:,} 行", f"table, {frame.height:,} rows"),
        frame=frame,
        rows=rows,
        places=places,
        encoding=encoding.upper().removesuffix("-SIG"),
        repairs=list(repairs),
        notes=list(notes),
    )


def _is_geometry(name: str, column: pl.Series) -> bool:
    written = column.filter(column != "").head(5)
    return fold(name) in KEYS and any(points_of("", text) for text in written)
