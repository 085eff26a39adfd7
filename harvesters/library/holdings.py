"""The holdings of a catalogue as a table, its numbers in one form, and what is wrong with them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import polars as pl

from harvesters.dataset import Dataset
from harvesters.library.catalogue import Catalogue, Fault
from harvesters.library.numbers import CHECKED, Number, read_cell
from harvesters.source import Package, Problem, Repair, Table, frame_of
from harvesters.words import Words

YEAR = re.compile(r"(?<!\d)(1[0-9]{3}|20[0-9]{2})(?!\d)")
LOST = "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\ufffd]"
"""Signs that no catalogue writes: what is left of those that could not be read."""
MOST_FAULTS = 0.1
"""A larger share of damaged records than this is no accident of single records."""
BROKEN = {
    "isbn-check-digit": Words("の検査数字が違います", "has a wrong check digit"),
    "issn-check-digit": Words("の検査数字が違います", "has a wrong check digit"),
    "ncid-check-digit": Words("の検査数字が違います", "has a wrong check digit"),
    "isbn-form": Words("は 10 桁か 13 桁の ISBN ではありません", "is no ISBN of 10 or 13 digits"),
    "issn-form": Words("は 8 桁の ISSN ではありません", "is no ISSN of 8 digits"),
    "ncid-form": Words("は NCID（英字 2、数字 7、検査数字）ではありません",
                       "is no NCID (2 letters, 7 digits, check digit)"),
}  # fmt: skip


def of_catalogue(catalogue: Catalogue, dataset: Dataset, constants: Mapping[str, str]) -> Package:
    """The package of a file of records; the city's constants fill what its records leave blank."""
    table, broken = standardised(table_of(catalogue, dataset, constants), RECORD)
    found = problems_of(catalogue.faults, table)
    problems = [*broken, *lost_characters(table, RECORD), *found]
    too_many = _too_many(problems, catalogue.records, table)
    return Package(tables=(table,), problems=[*too_many, *problems], kind=catalogue.kind)


def of_list(table: Table) -> Package:
    """The package of a list whose columns have been led to those of the descriptor."""
    table, broken = standardised(table, ROW)
    problems = [*broken, *lost_characters(table, ROW)]
    return Package(
        tables=(table,), problems=[*_too_many(problems, table.frame.height, table), *problems]
    )


def table_of(catalogue: Catalogue, dataset: Dataset, constants: Mapping[str, str]) -> Table:
    """The holdings in the columns of the descriptor."""
    fields = dataset.fields
    names = [field.name for field in fields]
    rows = [
        _cells(holding.values | {"出版年": _year(holding.values)}, names, constants)
        for holding in catalogue.holdings
    ]
    return Table(
        name=dataset.resources[0].name,
        title=dataset.title,
        fields=fields,
        key=dataset.key,
        frame=frame_of(names, rows),
        row_numbers=[holding.number for holding in catalogue.holdings],
        headings=catalogue.headings,
        encoding=catalogue.encoding,
        notes=[*catalogue.notes, *_told(catalogue)],
    )


def _cells(values: dict[str, str], names: list[str], constants: Mapping[str, str]) -> list[str]:
    return [values.get(name) or constants.get(name, "") for name in names]


def _year(values: dict[str, str]) -> str:
    """2010 of 2010.11, c2010 and 平成22 [2010]; 明39 stays a date alone."""
    found = YEAR.search(values.get("出版日", ""))
    return found[1] if found else ""


def _told(catalogue: Catalogue) -> Iterator[Words]:
    """A row is a library's item; one record may tell of several."""
    records, rows = len({one.number for one in catalogue.holdings}), len(catalogue.holdings)
    if rows > records:
        yield Words(
            f"書誌 {records:,} 件に所蔵 {rows:,} 件があります。行の番号は書誌の順番です。",
            f"{records:,} records tell of {rows:,} items; rows are numbered as the records are.",
        )


RECORD, ROW = Words("件目の書誌", "record"), Words("行目", "row")
"""What a number of a row counts: the records of a catalogue, or the rows of a list."""


def standardised(table: Table, unit: Words) -> tuple[Table, list[Problem]]:
    """ISBN, ISSN and NCID in one form, each change recorded; those that are wrong stay as they are."""
    repairs = list(table.repairs)
    problems: list[Problem] = []
    frame = table.frame
    for column in CHECKED:
        cells = frame.get_column(column).to_list()
        read = [read_cell(column, cell) if cell else ("", []) for cell in cells]
        places = zip(table.row_numbers, cells, read, strict=True)
        for row, before, (after, broken) in places:
            if before != after:
                repairs.append(Repair(row=row, column=column, before=before, after=after,
                                      rule="standard-number"))  # fmt: skip
            problems.extend(_problem(table, row, column, number, unit) for number in broken)
        frame = frame.with_columns(pl.Series(column, [after for after, _ in read], pl.String))
    repairs.sort(key=lambda repair: repair.row)
    return replace(table, frame=frame, repairs=repairs), problems


def _problem(table: Table, row: int, column: str, number: Number, unit: Words) -> Problem:
    what = BROKEN[number.broken]
    ja = f"（正しければ {number.right}）" if number.right else ""
    en = f" ({number.right} would be right)" if number.right else ""
    return Problem(
        rule=number.broken,
        severity="warning",
        table=table.name,
        row=row,
        column=column,
        value=number.text,
        words=Words(
            f"{row} {unit.ja}の {column}「{number.text}」{what.ja}{ja}。現物で確かめてください。",
            f"{column} {number.text!r} in {unit.en} {row} {what.en}{en}. Check it against the book.",
        ),
    )


def lost_characters(table: Table, unit: Words) -> list[Problem]:
    """Cells with signs that could not be read, or that are no text."""
    problems = []
    for column in table.frame.columns:
        bad = table.frame.get_column(column).str.contains(LOST).arg_true().to_list()
        for place in bad:
            row, value = table.row_numbers[place], table.frame.item(place, column)
            problems.append(
                Problem(
                    rule="lost-characters",
                    severity="warning",
                    table=table.name,
                    row=row,
                    column=column,
                    value=value,
                    words=Words(
                        f"{row} {unit.ja}の {column} に読めない文字があります。書き出しの文字コードを"
                        "確かめてください。",
                        f"{column} in {unit.en} {row} holds characters that cannot be read. "
                        "Check the encoding in which it was written.",
                    ),
                )
            )
    return sorted(problems, key=lambda problem: problem.row or 0)


def problems_of(faults: Iterable[Fault], table: Table) -> list[Problem]:
    """What the reader found; a list that is not whole must not take the place of a whole one."""
    return [
        Problem(
            rule=fault.rule,
            severity="error" if fault.rule == "incomplete-list" else "warning",
            table=table.name,
            row=None if fault.rule == "incomplete-list" else fault.number,
            column="",
            value=fault.value,
            words=fault.words,
        )
        for fault in faults
    ]


def _too_many(problems: list[Problem], records: int, table: Table) -> list[Problem]:
    """One error where so many records are damaged that the whole file must be looked at."""
    rules = {"unreadable-record", "lost-characters"}
    damaged = {problem.row for problem in problems if problem.rule in rules}
    if len(damaged) <= records * MOST_FAULTS:
        return []
    return [
        Problem(
            rule="too-many-damaged",
            severity="error",
            table=table.name,
            row=None,
            column="",
            value=f"{len(damaged)} / {records}",
            words=Words(
                f"全 {records:,} 件のうち {len(damaged):,} 件が読めないか文字が壊れています。"
                "書き出しの形式と文字コードを確かめてください。",
                f"{len(damaged):,} of {records:,} records cannot be read or hold damaged text. "
                "Check format and encoding of the export.",
            ),
        )
    ]
