"""Cells of known columns brought into their types, column by column; every change is recorded."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import polars as pl

from harvesters.city import City
from harvesters.dataset import Dataset, Field
from harvesters.intake import codes, dates, numbers, positions
from harvesters.intake.numbers import Change
from harvesters.source import Repair, Table

MUNICIPALITY = re.compile(r"地方公共団体コード|市区町村コード")
DIGITS = re.compile(r"\[0-9\]\{(\d+)\}|\\d\{(\d+)\}")
Columns = Callable[[Sequence[str]], list[Change]]
BY_TYPE: dict[str, Columns] = {
    "number": numbers.numbers,
    "integer": partial(numbers.numbers, whole=True),
    "date": dates.dates,
    "time": dates.times,
    "datetime": dates.datetimes,
    "year": dates.years,
    "yearmonth": dates.year_months,
}


def repair(table: Table, dataset: Dataset, city: City, old_datum: bool = False) -> Table:
    """The table with all cells as their columns want them, as far as that is certain."""
    columns = [column.to_list() for column in table.frame.get_columns()]
    changes: list[Repair] = []
    for field, column in zip(table.fields, columns, strict=True):
        _apply(table, changes, field.name, column, _rule(field, dataset, city)(column))
    _repair_positions(table, changes, columns, dataset, city, old_datum)
    changes.sort(key=lambda change: change.row)
    frame = pl.DataFrame(dict(zip(table.frame.columns, columns, strict=True)), table.frame.schema)
    return replace(table, frame=frame, repairs=[*table.repairs, *changes])


def _rule(field: Field, dataset: Dataset, city: City) -> Columns:
    """What the schema says about the column decides, never what its cells look like."""
    pattern = DIGITS.fullmatch(str(field.constraints.get("pattern", "")))
    if field.name in (dataset.position or ()):
        return positions.degrees
    if pattern and MUNICIPALITY.search(field.name):
        return partial(codes.municipality_codes, city=city.code)
    if pattern:
        return partial(codes.digits, width=int(pattern[1] or pattern[2]))
    return BY_TYPE.get(field.type, _trimmed)


def _trimmed(cells: Sequence[str]) -> list[Change]:
    """Of words only the spaces around them are taken."""
    return [
        Change(cell.strip(), "spaces") if cell != cell.strip() else Change(cell) for cell in cells
    ]


def _apply(
    table: Table, changes: list[Repair], name: str, column: list[str], found: list[Change]
) -> None:
    for place, (number, change) in enumerate(zip(table.row_numbers, found, strict=True)):
        if change.after != column[place]:
            changes.append(
                Repair(
                    row=number,
                    column=name,
                    before=column[place],
                    after=change.after,
                    rule=change.rule,
                )
            )
            column[place] = change.after


def _repair_positions(
    table: Table,
    changes: list[Repair],
    columns: list[list[str]],
    dataset: Dataset,
    city: City,
    old_datum: bool,
) -> None:
    """Swaps what is certainly swapped, then moves what is said to be on the Tokyo datum."""
    names = [field.name for field in table.fields]
    if not dataset.position or not set(dataset.position) <= set(names):
        return
    pair = [columns[names.index(name)] for name in dataset.position]
    said = old_datum or positions.is_old_datum(table.headings.get(dataset.position[0], ""))
    steps: list[tuple[str, Callable[[str, str], tuple[str, str]]]] = [
        ("swapped-coordinates", partial(_turned, city=city))
    ]
    if said:
        steps.append(("tokyo-datum", _moved))
    for rule, step in steps:
        after = [step(*position) for position in zip(*pair, strict=True)]
        for name, column, half in zip(dataset.position, pair, range(2), strict=True):
            found = [Change(position[half], rule) for position in after]
            _apply(table, changes, name, column, found)


def _turned(latitude: str, longitude: str, city: City) -> tuple[str, str]:
    wrong = any(
        positions.swapped(latitude, longitude, bounds) for bounds in (city.bbox, positions.JAPAN)
    )
    return (longitude, latitude) if wrong else (latitude, longitude)


def _moved(latitude: str, longitude: str) -> tuple[str, str]:
    """Positions far away from Japan, and what is no number, stay for the checks to report."""
    try:
        holds = positions.JAPAN.holds(float(longitude), float(latitude))
    except ValueError:
        holds = False
    return positions.from_tokyo(latitude, longitude) if holds else (latitude, longitude)
