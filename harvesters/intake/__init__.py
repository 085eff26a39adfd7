"""Bytes as municipal offices send them, to a table and a list of everything that was done to it."""

from collections.abc import Iterable

from harvesters.intake import dialect, encodings, features, kinds, table, workbooks
from harvesters.intake.sheet import Grid, OtherRow, Sheet, original, undo, undone
from harvesters.japanese import heading_key

__all__ = ["Grid", "OtherRow", "Sheet", "original", "read", "undo", "undone"]


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
    kinds.refuse_other_text(text)
    delimiter, rows = dialect.rows_of(text)
    ends_well = text.endswith(("\n", "\r"))
    grid = Grid(encoding=encoding, rows=rows, delimiter=delimiter, ends_well=ends_well)
    return table.sheet_of(grid, known)
