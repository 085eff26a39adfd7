"""Frictionless's report on a whole table, though it reads only the rows that may be wrong."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

import polars as pl
from frictionless import Check, Checklist, Dialect, FrictionlessException, Report, settings
from frictionless.checks.table.table_dimensions import table_dimensions
from frictionless.resources import TableResource

from harvesters.checks import inside_city, plain_numbers
from harvesters.validation.cells import Cells, Stats, read, stats_at
from harvesters.validation.screen import doubtful

Make = Callable[[], TableResource]
Numbered = Iterator[tuple[int, list[Any]]]


def judge(
    make: Make, checklist: Checklist, limit_errors: int = settings.DEFAULT_LIMIT_ERRORS
) -> Report:
    """What `make().validate(checklist)` returns; what only Frictionless can read goes to it whole."""
    screened = _screened(make(), checklist)
    if screened is None:
        return make().validate(checklist, limit_errors=limit_errors)
    cells, rows = screened
    resource = make()
    resource.dialect = _Chosen.of(resource, cells, rows)
    report = resource.validate(checklist, limit_errors=limit_errors)
    task = report.tasks[0]
    stopped = any(warning.startswith("reached error limit") for warning in task.warnings)
    _correct(task.stats, stats_at(make(), cells, task.stats["rows"]) if stopped else cells.whole)
    return report


def _screened(resource: TableResource, checklist: Checklist) -> tuple[Cells, list[int]] | None:
    """The cells, and the places of the rows that may be wrong."""
    if not isinstance(resource, TableResource) or _asks_more(resource):
        return None
    try:
        resource.to_descriptor(validate=True)
        with resource:
            fields = resource.header.get_expected_fields()
            names = [field.name for field in fields]
            checks = _screens(checklist.checks, names)
            if checks is None or not names or len(set(names)) < len(names):
                return None
            cells = read(resource)
            key = resource.schema.primary_key
            key = list(key) if set(key) <= set(names) else []
            return cells, doubtful(cells, fields, key, checks)
    except FrictionlessException:
        return None


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


def _screens(checks: list[Check], names: list[str]) -> list[pl.Expr] | None:
    """The checks in terms of columns; nothing if there is one that only looks at rows."""
    columns = {name: pl.col(str(place)) for place, name in enumerate(names)}
    screens = []
    for check in checks:
        if isinstance(check, table_dimensions):
            continue
        if not isinstance(check, (inside_city, plain_numbers)) or not check.names <= set(names):
            return None
        screens.append(check.doubtful(columns))
    return screens


def _correct(stats: Any, read: Stats) -> None:  # noqa: ANN401  Frictionless's own kind of dict
    for name, value in read.items():
        stats.pop(name, None)
        if value:
            stats[name] = value


class _Chosen(Dialect):
    """A dialect that hands over some rows only, each under its own number."""

    _rows: Numbered

    @classmethod
    def of(cls, resource: TableResource, cells: Cells, rows: list[int]) -> Self:
        """The dialect of the resource, and which rows of it."""
        chosen = cls.from_descriptor(resource.dialect.to_descriptor())
        chosen._rows = _counted(resource, cells, rows)
        return chosen

    def read_enumerated_content_stream(self, cell_stream: Iterable[list[Any]]) -> Numbered:
        """The sample whole, since headings are found there; of the table itself the chosen rows."""
        if isinstance(cell_stream, list):
            return iter(super().read_enumerated_content_stream(cell_stream))
        return self._rows


def _counted(resource: TableResource, cells: Cells, rows: list[int]) -> Numbered:
    """Frictionless counts each row it sees; the others are counted for it."""
    for row in rows:
        resource.stats.rows = row
        yield cells.numbers[row], cells.row(row)
    resource.stats.rows = cells.frame.height
