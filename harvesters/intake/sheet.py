"""What the intake makes of a file: headings, rows, and everything that was set aside or changed."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from harvesters.source import Repair, Table
from harvesters.words import Words

SHORT = "short-row"
"""The rule by which a row got the cells that Excel leaves out at its end."""


@dataclass(frozen=True, kw_only=True)
class Grid:
    """All cells of a file or of one sheet of a workbook as text, before anybody asks what they mean."""

    encoding: str
    """Of the text; of a workbook its format."""
    rows: list[list[str]]
    name: str = ""
    """Of the sheet in its workbook."""
    hidden: bool = False
    delimiter: str = ""
    merged: tuple[tuple[int, int, int, int], ...] = ()
    """First row, first column, last row, last column of merged cells, counted from 0."""
    ends_well: bool = True
    """Whether the last row is known to be whole."""


@dataclass(frozen=True, kw_only=True)
class OtherRow:
    """A row that is no data, as it came: blank, title, metadata, header, unit or footnote."""

    number: int
    cells: list[str]
    role: str


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """The cells of a list: headings, rows of the same width below them, and all other rows."""

    encoding: str
    headings: list[str]
    rows: list[list[str]]
    row_numbers: list[int]
    tails: list[list[str]]
    """The blank cells that a row has beyond the last heading."""
    header_row: int | None
    """The lowest row of the headings; nothing where the file has none."""
    others: list[OtherRow]
    name: str = ""
    delimiter: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    """What the file says about itself: licence, attribution, language, …"""
    types: dict[str, str] = field(default_factory=dict)
    """Column: type of Table Schema, where the file tells."""
    units: dict[str, str] = field(default_factory=dict)
    """Column: unit, where a row below the headings tells."""
    repairs: list[Repair] = field(default_factory=list)
    notes: list[Words] = field(default_factory=list)


def column_names(headings: Sequence[str]) -> list[str]:
    """The heading where it names one column alone, else the column's place."""
    counts = Counter(headings)
    return [
        heading if heading and counts[heading] == 1 else f"{place} 列目"
        for place, heading in enumerate(headings, 1)
    ]


def undo(
    columns: Sequence[str], rows: list[list[str]], row_numbers: list[int], repairs: Iterable[Repair]
) -> list[list[str]]:
    """The rows with every repaired cell as it was before, the last repair taken back first.

    Several rows may come from one record of the file and have its number; each has its own repairs.
    """
    places = {column: place for place, column in enumerate(columns)}
    lines = [list(cells) for cells in rows]
    numbered: dict[int, list[list[str]]] = {}
    for number, line in zip(row_numbers, lines, strict=True):
        numbered.setdefault(number, []).append(line)
    for repair in reversed(list(repairs)):
        place = places[repair.column]
        same = [line for line in numbered[repair.row] if line[place] == repair.after]
        (same or numbered[repair.row])[0][place] = repair.before
    return lines


def original(sheet: Sheet) -> list[list[str]]:
    """Every cell of the file in its place, as if nothing had been set aside or repaired."""
    rows = undo(column_names(sheet.headings), sheet.rows, sheet.row_numbers, sheet.repairs)
    added = Counter(repair.row for repair in sheet.repairs if repair.rule == SHORT)
    lines = {row.number: row.cells for row in sheet.others}
    for number, cells, tail in zip(sheet.row_numbers, rows, sheet.tails, strict=True):
        lines[number] = cells[: len(cells) - added[number]] + tail
    return [lines[number] for number in sorted(lines)]


def undone(table: Table) -> list[list[str]]:
    """The rows of a table before its repairs, also those of the sheet that it was made from.

    A column that is put together from several headings keeps what was filled in from merged cells.
    """
    columns = {heading: name for name, heading in table.headings.items()}
    names = [field.name for field in table.fields]
    repairs = [
        Repair(**(vars(repair) | {"column": columns.get(repair.column, repair.column)}))
        for repair in table.repairs
    ]
    mine = [repair for repair in repairs if repair.column in names]
    return undo(names, table.rows, list(table.row_numbers), mine)
