"""Frictionless's report on a whole table, though it reads only the rows that may be wrong."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
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
from harvesters.validation.lines import enough_to_open, read_lines
from harvesters.validation.screen import doubtful

Make = Callable[[], TableResource]
Numbered = Iterator[tuple[int, list[Any]]]
LARGE, PART = 40_000_000, 2_000_000
"""So many bytes at the beginning of a larger table show whether the limit will end the reading."""


@dataclass(frozen=True, kw_only=True)
class _Screened:
    """An open resource that will hand over only the rows that may be wrong."""

    resource: TableResource
    cells: Cells
    rows: list[int]


def judge(
    make: Make, checklist: Checklist, limit_errors: int = settings.DEFAULT_LIMIT_ERRORS
) -> Report:
    """What `make().validate(checklist)` returns; what only Frictionless can read goes to it whole."""
    resource = make()
    return (
        _of_part(make, resource.data, checklist, limit_errors)
        or _of_whole(make, resource, checklist, limit_errors)
        or make().validate(checklist, limit_errors=limit_errors)
    )


def _of_part(make: Make, content: object, checklist: Checklist, limit_errors: int) -> Report | None:
    """The report, if the limit of errors is reached near the beginning of a large table."""
    if not isinstance(content, bytes) or len(content) < LARGE or not limit_errors:
        return None
    screened = _screened(make(), checklist, beginning(content, size=PART))
    if screened is None or len(screened.rows) < limit_errors / 4:
        return None
    try:
        report, stopped = _report(screened, make, checklist, limit_errors)
    except UnicodeDecodeError:  # just behind the part, where Frictionless has read already
        return None
    return report if stopped else None


def _of_whole(
    make: Make, resource: TableResource, checklist: Checklist, limit_errors: int
) -> Report | None:
    """The report, unless only Frictionless can read the table."""
    content = resource.data
    screened = _screened(resource, checklist, content) if isinstance(content, bytes) else None
    screened = screened or _screened(make(), checklist, None)
    return _report(screened, make, checklist, limit_errors)[0] if screened else None


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


def _screened(
    resource: TableResource, checklist: Checklist, content: bytes | None
) -> _Screened | None:
    """Read by lines if there is content, else row by row; nothing if it must not or cannot be."""
    if not isinstance(resource, TableResource) or _asks_more(resource):
        return None
    try:
        resource.to_descriptor(validate=True)
        resource.dialect = chosen = _Chosen.from_descriptor(resource.dialect.to_descriptor())
        if content is not None:
            resource.data = enough_to_open(content, resource.detector)
        resource.open()  # type: ignore[no-untyped-call]
        fields = resource.header.get_expected_fields()
        checks = _screens(checklist.checks, fields)
        if checks is None or not fields or len({field.name for field in fields}) < len(fields):
            return None
        cells = read_rows(resource) if content is None else read_lines(resource, content)
    except FrictionlessException:
        return None
    if cells is None:
        return None
    rows = doubtful(cells, fields, _key(resource.schema, fields), checks)
    chosen.rows = _counted(resource, cells, rows)
    return _Screened(resource=resource, cells=cells, rows=rows)


def _key(schema: Schema, fields: list[Field]) -> list[str]:
    """The primary key, which Frictionless looks at if the table has all its fields."""
    known = {field.name for field in fields}
    return list(schema.primary_key) if known.issuperset(schema.primary_key) else []


def _asks_more(resource: TableResource) -> bool:
    """Whether the verdict depends on more than single rows and keys."""
    return bool(
        resource.hash
        or resource.bytes
        or resource.fields
        or resource.rows
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


def _counted(resource: TableResource, cells: Cells, rows: list[int]) -> Numbered:
    """Frictionless counts each row it sees; the others are counted for it."""
    for row in rows:
        resource.stats.rows = row
        yield cells.numbers[row], cells.row(row)
    resource.stats.rows = cells.frame.height
