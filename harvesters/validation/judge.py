"""Frictionless's report on a whole table, though it reads only the rows that may be wrong."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import polars as pl
from frictionless import (
    Check,
    Checklist,
    Dialect,
    Field,
    FrictionlessException,
    Report,
    Schema,
    settings,
)
from frictionless.checks.table.table_dimensions import table_dimensions
from frictionless.resources import TableResource

from harvesters.checks import inside_city, plain_numbers
from harvesters.validation.cells import Cells, Stats, beginning, read_rows, stats_at
from harvesters.validation.lines import enough_to_open, read_lines, read_written
from harvesters.validation.screen import Doubts, doubtful

Make = Callable[[], TableResource]
Read = Callable[[TableResource], Cells | None]
Numbered = Iterator[tuple[int, list[Any]]]
LARGE, PART = 40_000_000, 2_000_000
"""So many bytes at the beginning of a larger table show whether the limit will end the reading."""


@dataclass(frozen=True, kw_only=True)
class _Screened:
    """An open resource that will hand over only the rows that may be wrong."""

    resource: TableResource
    cells: Cells
    doubts: Doubts


@dataclass(frozen=True)
class _Unreadable:
    """A text that Frictionless refuses as of the wrong type, where reading it would raise."""

    text: str

    def __str__(self) -> str:
        return self.text


def judge(
    make: Make,
    checklist: Checklist,
    limit_errors: int = settings.DEFAULT_LIMIT_ERRORS,
    written: pl.DataFrame | None = None,
) -> Report:
    """What `make().validate(checklist)` returns; what only Frictionless can read goes to it whole.

    `written` are the texts from which the file has just been written: they need not be read again.
    """
    content = make().data
    screened = None
    if isinstance(content, bytes):
        if limit_errors and len(content) > LARGE:
            report = _early(make, checklist, limit_errors, beginning(content, size=PART))
            if report:
                return report
        read = partial(read_lines, content=content)
        if written is not None:
            read = partial(read_written, content=content, frame=written)
        screened = _screened(_shortened(make(), content), checklist, read)
    screened = screened or _screened(make(), checklist, read_rows)
    if screened is None:
        return make().validate(checklist, limit_errors=limit_errors)
    return _report(screened, make, checklist, limit_errors)[0]


def _early(make: Make, checklist: Checklist, limit_errors: int, part: bytes) -> Report | None:
    """The report, if the limit of errors is reached near the beginning."""
    read = partial(read_lines, content=part)
    screened = _screened(_shortened(make(), part), checklist, read)
    if screened is None or len(screened.doubts.rows) < limit_errors / 4:
        return None
    try:
        report, stopped = _report(screened, make, checklist, limit_errors)
    except UnicodeDecodeError:  # just behind the part, where Frictionless has read already
        return None
    return report if stopped else None


def _shortened(resource: TableResource, content: bytes) -> TableResource:
    resource.data = enough_to_open(content, resource.detector)
    return resource


def _report(
    screened: _Screened, make: Make, checklist: Checklist, limit_errors: int
) -> tuple[Report, bool]:
    """Frictionless's report, and whether it stopped before the end."""
    report = screened.resource.validate(checklist, limit_errors=limit_errors)
    task = report.tasks[0]
    stopped = any(warning.startswith("reached error limit") for warning in task.warnings)
    cells = screened.cells
    _correct(task.stats, stats_at(make(), cells, task.stats["rows"]) if stopped else cells.whole())
    return report, stopped


def _screened(resource: TableResource, checklist: Checklist, read: Read) -> _Screened | None:
    """The resource and what of it is to be read; nothing if it must not or cannot be."""
    if not isinstance(resource, TableResource) or _asks_more(resource):
        return None
    try:
        resource.to_descriptor(validate=True)
        resource.dialect = chosen = _Chosen.from_descriptor(resource.dialect.to_descriptor())
        resource.open()  # type: ignore[no-untyped-call]
        fields = resource.header.get_expected_fields()
        checks = _screens(checklist.checks, fields)
        if checks is None or not fields or len({field.name for field in fields}) < len(fields):
            return None
        cells = read(resource)
    except FrictionlessException:
        return None
    if cells is None:
        return None
    doubts = doubtful(cells, fields, _key(resource.schema, fields), checks)
    chosen.rows = _counted(resource, cells, doubts)
    return _Screened(resource=resource, cells=cells, doubts=doubts)


def _key(schema: Schema, fields: list[Field]) -> list[str]:
    """The primary key, which Frictionless looks at if the table has all its fields."""
    known = {field.name for field in fields}
    return list(schema.primary_key) if known.issuperset(schema.primary_key) else []


def _asks_more(resource: TableResource) -> bool:
    """Whether the verdict depends on more than single rows and keys, or the schema is guessed."""
    return bool(
        resource.hash
        or resource.bytes
        or resource.fields
        or resource.rows
        or resource.schema is None
        or not resource.schema.fields
        or resource.schema.foreign_keys
        or not resource.dialect.header_case
        or resource.format != "csv"
    )


def _screens(checks: list[Check], fields: list[Field]) -> list[pl.Expr] | None:
    """The checks in terms of columns; nothing if there is one that only looks at rows."""
    columns = {field.name: pl.col(str(place)) for place, field in enumerate(fields)}
    types = {field.name: field.type for field in fields}
    screens = []
    for check in checks:
        if isinstance(check, table_dimensions):
            continue
        if not isinstance(check, (inside_city, plain_numbers)) or not check.names <= set(types):
            return None
        screens.append(check.doubtful(columns, types))
    return screens


def _correct(stats: Any, read: Stats) -> None:  # noqa: ANN401  Frictionless's own kind of dict
    for name, value in read.items():
        stats.pop(name, None)
        if value:
            stats[name] = value


class _Chosen(Dialect):
    """A dialect that hands over some rows only, each under its own number."""

    rows: Numbered

    def read_enumerated_content_stream(self, cell_stream: Iterable[list[Any]]) -> Numbered:
        """The sample whole, since headings are found there; of the table itself the chosen rows."""
        if isinstance(cell_stream, list):
            return iter(super().read_enumerated_content_stream(cell_stream))
        return self._later()

    def _later(self) -> Numbered:
        """They are chosen when the resource is open."""
        yield from self.rows


def _counted(resource: TableResource, cells: Cells, doubts: Doubts) -> Numbered:
    """Frictionless counts each row it sees; the others are counted for it."""
    for index in doubts.rows:
        resource.stats.rows = index
        row: list[Any] = cells.row(index)
        for place, texts in doubts.unreadable.items():
            if place < len(row) and row[place] in texts:
                row[place] = _Unreadable(row[place])
        yield cells.numbers[index], row
    resource.stats.rows = cells.frame.height
