"""A grid of cells to a sheet: headings and rows of one width, all other rows set aside and named."""

from dataclasses import dataclass
from itertools import islice

from harvesters.errors import NotTheListError
from harvesters.intake import layout as layouts
from harvesters.intake import linkdata
from harvesters.intake.cells import filled, is_note
from harvesters.intake.layout import SAMPLE, Layout
from harvesters.intake.linkdata import Preamble
from harvesters.intake.nameless import names_for
from harvesters.intake.sheet import SHORT, Grid, OtherRow, Sheet, column_names
from harvesters.intake.telling import notes_of
from harvesters.japanese import heading_key
from harvesters.source import Repair

DITTO = {"〃", "同上"}
FOOTNOTE = 3
"""A table of at least so many columns has a row with a single cell only for a reason."""


@dataclass(frozen=True, kw_only=True)
class _Parts:
    """The places of the rows, by what they are."""

    roles: dict[int, str]
    body: list[int]


def sheet_of(grid: Grid, known: set[str]) -> Sheet:
    """The list inside a grid; a list without rows and rows without a column are refused."""
    if len(list(islice(filter(filled, grid.rows), 2))) < 2:
        _refuse_empty()
    preamble = linkdata.preamble_of(grid.rows)
    layout = (
        Layout(header=[preamble.header], data=preamble.data)
        if preamble
        else layouts.find(grid.rows, known, grid.merged)
    )
    parts = _parts(grid.rows, layout, preamble)
    if not parts.body:
        _refuse_empty()
    headings = _headings(grid, layout, parts.body)
    _check_widths(grid, parts.body, len(headings))
    return _filled_in(grid, layout, preamble, parts, headings)


def _refuse_empty() -> None:
    raise NotTheListError(
        "見出しの下に行がありません。空の一覧は公開しません。",
        "there is no row below the headings; an empty list is not published",
    )


def _parts(rows: list[list[str]], layout: Layout, preamble: Preamble | None) -> _Parts:
    """Every row has one role; what has none is data."""
    above = "metadata" if preamble else "title"
    roles = dict.fromkeys(range(layout.data), above) | dict.fromkeys(layout.header, "header")
    roles |= dict.fromkeys(layout.second, "second header")
    if layout.units is not None:
        roles[layout.units] = "units"
    roles |= {place: "blank" for place, cells in enumerate(rows) if not filled(cells)}
    roles |= dict.fromkeys(_repeated(rows, layout), "repeated header")
    roles |= dict.fromkeys(_footnotes(rows, layout, roles), "footnote")
    return _Parts(roles=roles, body=[place for place in range(len(rows)) if place not in roles])


def _repeated(rows: list[list[str]], layout: Layout) -> list[int]:
    """Printed pages repeat the header; it may come again as one row or as all of its rows."""
    wanted = [_spoken(rows[place]) for place in layout.header]
    first = {keys[0] for keys in wanted if keys}
    return [
        place
        for place in range(layout.data, len(rows))
        if rows[place]
        and heading_key(rows[place][0]) in first
        and len(filled(rows[place])) > 1
        and _spoken(rows[place]) in wanted
    ]


def _spoken(cells: list[str]) -> list[str]:
    """A row as a person reads it: without spaces and blank cells at its end."""
    keys = [heading_key(cell) for cell in cells]
    return keys[: max(filled(cells), default=-1) + 1]


def _footnotes(rows: list[list[str]], layout: Layout, roles: dict[int, str]) -> list[int]:
    """Rows at the end with a single cell that begins like a note or stands below a blank row."""
    columns = max((len(filled(cells)) for cells in rows[layout.data :][:SAMPLE]), default=0)
    tail: list[int] = []
    accepted: list[int] = []
    for place in reversed(range(layout.data, len(rows))):
        if roles.get(place) == "blank":
            continue
        mine = filled(rows[place])
        note = all(is_note(rows[place][at]) for at in mine)
        if columns < 2 or len(mine) > 1 or (columns < FOOTNOTE and not note):
            break
        tail.append(place)
        if note or roles.get(place - 1) == "blank":
            accepted = list(tail)
    return accepted


def _headings(grid: Grid, layout: Layout, body: list[int]) -> list[str]:
    """A column without a heading counts where the header reaches over it and there are values."""
    used = set().union(*(filled(grid.rows[place]) for place in body))
    if not layout.header:
        return names_for(grid.rows[body[0]], max(used) + 1)
    names = layouts.headings(grid.rows, layout.header, grid.merged)
    return names[: max(used.intersection(range(len(names))) | filled(names)) + 1]


def _check_widths(grid: Grid, body: list[int], width: int) -> None:
    for place in body:
        cells = grid.rows[place]
        if max(filled(cells)) >= width:
            _refuse_wide(place + 1, len(cells), width)
    if not grid.ends_well and body[-1] == len(grid.rows) - 1:
        _check_end([grid.rows[place] for place in body], body[-1] + 1, width)


def _refuse_wide(number: int, cells: int, width: int) -> None:
    raise NotTheListError(
        f"{number} 行目に {cells} 個の値がありますが、見出しは {width} 個です。"
        "値の中のコンマを確かめてください。",
        f"row {number} has {cells} values, but there are {width} headings; "
        "look for a comma inside a value",
    )


def _check_end(rows: list[list[str]], number: int, width: int) -> None:
    """A last row without line break is cut off if it lacks what most other rows have."""
    *others, last = rows
    for at in range(len(last), width):
        full = sum(at in filled(cells) for cells in others)
        if others and full * 2 >= len(others):
            raise NotTheListError(
                f"ファイルが {number} 行目の途中で終わっています（{width} 個の値のうち {len(last)} 個）。"
                "もう一度取得してください。",
                f"the file ends in the middle of row {number} ({len(last)} of {width} values); "
                "fetch it again",
            )


def _filled_in(
    grid: Grid, layout: Layout, preamble: Preamble | None, parts: _Parts, headings: list[str]
) -> Sheet:
    width = len(headings)
    sheet = Sheet(
        encoding=grid.encoding,
        headings=headings,
        rows=[(grid.rows[place] + [""] * width)[:width] for place in parts.body],
        row_numbers=[place + 1 for place in parts.body],
        tails=[grid.rows[place][width:] for place in parts.body],
        header_row=layout.header[-1] + 1 if layout.header else None,
        others=[
            OtherRow(number=place + 1, cells=grid.rows[place], role=role)
            for place, role in sorted(parts.roles.items())
        ],
        name=grid.name,
        delimiter=grid.delimiter,
        metadata=preamble.metadata if preamble else {},
        types=preamble.types if preamble else {},
        units=_units(grid, layout, headings),
    )
    _repair(sheet, grid)
    sheet.notes.extend(notes_of(sheet))
    return sheet


def _units(grid: Grid, layout: Layout, headings: list[str]) -> dict[str, str]:
    if layout.units is None:
        return {}
    pairs = zip(column_names(headings), grid.rows[layout.units], strict=False)
    return {
        name: unit.strip().strip("()（）[]［］【】〔〕") for name, unit in pairs if unit.strip()
    }


def _repair(sheet: Sheet, grid: Grid) -> None:
    """Fills what a spreadsheet leaves out: the end of a row, merged cells, and "the same as above"."""
    names = column_names(sheet.headings)
    _fill_short(sheet, names, grid)
    _fill_merged(sheet, names, grid)
    _fill_ditto(sheet, names)
    sheet.repairs.sort(key=lambda repair: repair.row)


def _fill_short(sheet: Sheet, names: list[str], grid: Grid) -> None:
    """Excel leaves out empty cells at the end of a row; they are filled in, and it is said."""
    sheet.repairs.extend(
        Repair(row=number, column=name, before="", after="", rule=SHORT)
        for number in sheet.row_numbers
        for name in names[len(grid.rows[number - 1]) :]
    )


def _fill_merged(sheet: Sheet, names: list[str], grid: Grid) -> None:
    """The value of merged cells holds for every cell below; files keep it in the first one alone."""
    lines = {number - 1: cells for number, cells in zip(sheet.row_numbers, sheet.rows, strict=True)}
    for top, left, bottom, right in grid.merged:
        if top not in lines or left >= len(names):
            continue
        value = lines[top][left]
        for place in range(top, bottom + 1):
            for at in range(left, min(right + 1, len(names))):
                if place in lines:
                    _put(sheet, lines[place], place + 1, at, value, names[at], "merged-cells")


def _fill_ditto(sheet: Sheet, names: list[str]) -> None:
    for above, cells, number in zip(
        sheet.rows, sheet.rows[1:], sheet.row_numbers[1:], strict=False
    ):
        for at, cell in enumerate(cells):
            if cell.strip() in DITTO and above[at].strip():
                _put(sheet, cells, number, at, above[at], names[at], "ditto")


def _put(
    sheet: Sheet, cells: list[str], number: int, at: int, value: str, name: str, rule: str
) -> None:
    if cells[at] != value:
        sheet.repairs.append(
            Repair(row=number, column=name, before=cells[at], after=value, rule=rule)
        )
        cells[at] = value
