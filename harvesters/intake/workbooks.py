"""Workbooks (XLSX, XLS, ODS): cells as text, and of several sheets the one that holds the list."""

import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import openpyxl
import python_calamine
from openpyxl.utils.exceptions import InvalidFileException

from harvesters.errors import NotTheListError
from harvesters.intake import table
from harvesters.intake.cells import filled
from harvesters.intake.layout import LOOKED_AT
from harvesters.intake.sheet import Grid, Sheet
from harvesters.japanese import heading_key
from harvesters.words import Words

ZEROS = re.compile(r"0+")
"""The number format of a code: as many digits as there are zeros."""
BARE = re.compile(rb"<c ([^>]*)>\s*<f(?:[^>]*/|[^>]*>[^<]*</f)>\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>")
"""A cell with a formula, but without the value that Excel keeps beside it."""
PLACE = re.compile(r'\br="([A-Z]+[0-9]+)"')
RESULT = 't="str"'
"""The value was worked out, and is a text without letters."""
SHOWN = 5
DAMAGE = (
    python_calamine.CalamineError,
    InvalidFileException,
    zipfile.BadZipFile,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    OSError,
)
"""What the readers raise on workbooks that are damaged or against the standard."""


def read(content: bytes, kind: str, known: set[str]) -> Sheet:
    """The list inside a workbook; the other sheets are named in a note."""
    try:
        grids = [grid for grid in _grids(content, kind) if any(map(filled, grid.rows))]
    except python_calamine.PasswordError as error:
        raise NotTheListError(
            "パスワードのかかった Excel です。パスワードを外して保存し直してください。",
            "the workbook is protected by a password; save it without one",
        ) from error
    except DAMAGE as error:
        raise NotTheListError(
            f"Excel か ODS（{kind}）として読めません。壊れているようです。開いて保存し直すか、"
            f"CSV で保存してください（{error}）。",
            f"not readable as a workbook ({kind}), it seems damaged; open it and save it again, "
            f"or save the list as CSV ({error})",
        ) from error
    return _chosen(grids, known)


def _chosen(grids: list[Grid], known: set[str]) -> Sheet:
    """The sheet with most of the known headings; without any the visible one with most values."""
    if not grids:
        raise NotTheListError("どのシートにも値がありません。", "no sheet holds any value")
    best = max(grids, key=lambda grid: _worth(grid, known))
    try:
        sheet = table.sheet_of(best, known)
    except NotTheListError as refusal:
        ja, en = refusal.words
        raise NotTheListError(
            f"シート「{best.name}」: {ja}", f"sheet {best.name!r}: {en}"
        ) from None
    if others := ", ".join(grid.name for grid in grids if grid is not best):
        told = Words(
            f"シート「{best.name}」を読みました。読まなかったシート: {others}",
            f"Read the sheet {best.name!r}; sheets not read: {others}",
        )
        sheet.notes.insert(0, told)
    return sheet


def _worth(grid: Grid, known: set[str]) -> tuple[int, bool, int]:
    """Hidden sheets hold lists for drop-down menus; a row with one cell is a text, not a table."""
    top = {heading_key(cell) for cells in grid.rows[:LOOKED_AT] for cell in cells}
    counts = [len(filled(cells)) for cells in grid.rows]
    return len(known & top), not grid.hidden, sum(count for count in counts if count > 1)


def _grids(content: bytes, kind: str) -> Iterator[Grid]:
    with python_calamine.load_workbook(io.BytesIO(content)) as book:
        hidden = {
            one.name
            for one in book.sheets_metadata
            if one.visible != python_calamine.SheetVisibleEnum.Visible
        }
        if kind == "xlsx":
            yield from _excel_grids(content, book, hidden)
            return
        for name in book.sheet_names:
            sheet = book.get_sheet_by_name(name)
            yield Grid(
                encoding=kind,
                rows=[[_text(cell) for cell in cells] for cells in sheet.to_python(False)],
                name=name,
                hidden=name in hidden,
                merged=tuple((*start, *end) for start, end in sheet.merged_cell_ranges or ()),
            )


def _excel_grids(
    content: bytes, book: python_calamine.CalamineWorkbook, hidden: set[str]
) -> Iterator[Grid]:
    """The number formats are known to openpyxl, and to calamine how far the values reach.

    A cell that is only coloured, a million rows below, counts for openpyxl.
    """
    _check_formulas(content)
    workbook = _opened(content)
    for name in [sheet.title for sheet in workbook.worksheets]:
        end = book.get_sheet_by_name(name).end
        if end is None:
            continue
        size = {"max_row": end[0] + 1, "max_col": end[1] + 1}
        cells = list(workbook[name].iter_rows(**size))
        yield Grid(
            encoding="xlsx",
            rows=[[_text(cell.value, cell.number_format) for cell in row] for row in cells],
            name=name,
            hidden=name in hidden,
            merged=tuple(
                (area.min_row - 1, area.min_col - 1, area.max_row - 1, area.max_col - 1)
                for area in workbook[name].merged_cells.ranges
            ),
        )


def _opened(content: bytes) -> openpyxl.Workbook:
    """Without the warnings about drop-down menus and styles, which do not matter here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return openpyxl.load_workbook(io.BytesIO(content), data_only=True)


def _check_formulas(content: bytes) -> None:
    """A program that writes formulas without their results leaves cells that look empty."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = [name for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]
        bare = [match[1].decode() for part in parts for match in BARE.finditer(archive.read(part))]
    places = [place[1] for cell in bare if (place := PLACE.search(cell)) and RESULT not in cell]
    if places:
        shown = ", ".join(places[:SHOWN])
        raise NotTheListError(
            f"{shown}（全部で {len(places)} か所）は式だけで、計算した値がありません。"
            "Excel で開いて保存し直してください。",
            f"{shown} ({len(places)} in all) hold formulas without their results; "
            "open the workbook in Excel and save it again",
        )


def _text(value: Any, number_format: str = "General") -> str:
    """A cell as it would stand in a CSV file, dates in ISO form."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return _number(value, number_format)
    if isinstance(value, datetime):
        whole = value.time() == time() and value.tzinfo is None
        return value.date().isoformat() if whole else value.isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return value.isoformat(timespec="seconds")
    return _duration(value) if isinstance(value, timedelta) else str(value)


def _number(value: float, number_format: str) -> str:
    """As many digits as Excel keeps; a format of zeros is a code with its leading zeros."""
    if value == int(value) and abs(value) < 1e15:
        digits = str(int(value))
        return digits.zfill(len(number_format)) if ZEROS.fullmatch(number_format) else digits
    return f"{Decimal(f'{value:.15g}'):f}"


def _duration(value: timedelta) -> str:
    """Hours beyond 24, as buses keep them."""
    minutes, seconds = divmod(int(value.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}"
