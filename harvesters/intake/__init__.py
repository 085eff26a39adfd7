"""Bytes as municipal offices send them, to a table and a list of everything that was done to it."""

from collections.abc import Iterable

from harvesters.intake import dialect, encodings, features, kinds, table, workbooks
from harvesters.intake.sheet import Grid, OtherRow, Sheet, original, undo, undone
from harvesters.japanese import heading_key
from harvesters.words import Words

__all__ = ["Grid", "OtherRow", "Sheet", "original", "read", "undo", "undone"]

END_OF_FILE = "\x1a"
ENDED = Words(
    "ファイルの終わりにある制御文字（Ctrl+Z）は、古いシステムが付ける終わりの印なので、除いて読みました。",
    "The control character at the end of the file (Ctrl+Z), by which old systems mark the end, was "
    "left out.",
)


def read(content: bytes, known_headings: Iterable[str] = ()) -> Sheet:
    """The table inside a CSV file, a workbook or a GeoJSON file; knowing its headings helps."""
    headings = list(known_headings)
    known = {heading_key(heading) for heading in headings}
    kind = kinds.kind_of(content)
    if kind not in {"text", "json"}:
        return workbooks.read(content, kind, known)
    encoding, text = encodings.decode(content, headings)
    if kind == "json":
        return features.sheet_of(encoding, text.removeprefix("\ufeff"))
    whole = text.rstrip(END_OF_FILE)
    kinds.refuse_other_text(whole)
    delimiter, rows = dialect.rows_of(whole)
    ends_well = text.endswith(("\n", "\r", END_OF_FILE))
    grid = Grid(encoding=encoding, rows=rows, delimiter=delimiter, ends_well=ends_well)
    sheet = table.sheet_of(grid, known)
    if whole != text:
        sheet.notes.append(ENDED)
    return sheet
