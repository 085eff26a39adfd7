"""Frictionless's verdict on the clean table, given on exactly the bytes that would be published."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import polars as pl
from frictionless import Check, Checklist, Dialect, Report, Schema
from frictionless.checks.table.table_dimensions import table_dimensions
from frictionless.formats import CsvControl
from frictionless.resources import TableResource

from harvesters.checks import inside_city, plain_numbers
from harvesters.city import City, Feed
from harvesters.source import Package, Table
from harvesters.validation.judge import judge

NUMBERS = ("number", "integer")
ROWS = 100_000
"""Written at once, so that a day's log is not held twice."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What Frictionless says of the tables, and the clean CSV of each by its name."""

    valid: bool
    report: dict[str, Any]
    csv: dict[str, bytes] = field(repr=False)


def validate(package: Package, feed: Feed, city: City) -> Verdict:
    """Judges all tables by their schemas and the city's bounds, the first by its number of rows."""
    first = [table_dimensions(min_rows=feed.rows.minimum, max_rows=feed.rows.maximum)]
    checks = [[*(first if not place else []), *_checks(table, city)]
              for place, table in enumerate(package.tables)]  # fmt: skip
    return judged(package, checks)


def judged(package: Package, checks: Sequence[Sequence[Check]]) -> Verdict:
    """Judges each table by its schema and its own list of checks."""
    csv = {table.name: to_csv(table.frame) for table in package.tables}
    reports = [
        _report(table, csv[table.name], Checklist(checks=list(own)))
        for table, own in zip(package.tables, checks, strict=True)
    ]
    report = _joined([report.to_descriptor() for report in reports])
    return Verdict(valid=report["valid"], report=report, csv=csv)


def _report(table: Table, content: bytes, checklist: Checklist) -> Report:
    described = schema(table)

    def resource() -> TableResource:
        return TableResource(
            name=table.name,
            data=content,
            scheme="buffer",
            format="csv",
            encoding="utf-8-sig",
            dialect=_dialect(),
            schema=Schema.from_descriptor(described),
        )

    return judge(resource, checklist, written=table.frame)


def _joined(reports: list[dict[str, Any]]) -> dict[str, Any]:
    """One report with a task for each table, as Frictionless gives for a package."""
    stats = {
        count: sum(report["stats"][count] for report in reports)
        for count in ("tasks", "errors", "warnings", "seconds")
    }
    return reports[0] | {
        "valid": all(report["valid"] for report in reports),
        "stats": stats,
        "tasks": [task for report in reports for task in report["tasks"]],
    }


def schema(table: Table) -> dict[str, Any]:
    """The Table Schema of the clean table."""
    told: dict[str, Any] = {"fields": [field.descriptor() for field in table.fields]}
    return told | ({"primaryKey": list(table.key)} if table.key else {})


def to_csv(frame: pl.DataFrame) -> bytes:
    """UTF-8 with a byte order mark and CRLF, as RFC 4180 and Excel want it."""
    content = io.BytesIO()
    frame.clear().write_csv(content, include_bom=True, line_terminator="\r\n")
    for rows in frame.iter_slices(ROWS):
        blank = rows.with_columns(pl.all().replace("", None))
        blank.write_csv(content, include_header=False, line_terminator="\r\n")
    return content.getvalue()


def _dialect() -> Dialect:
    """All said, so that Frictionless need not guess from a sample."""
    control = CsvControl(
        delimiter=",", quote_char='"', line_terminator="\r\n", skip_initial_space=False
    )
    return Dialect(controls=[control])


def _checks(table: Table, city: City) -> Iterator[Check]:
    yield plain_numbers(columns=[field.name for field in table.fields if field.type in NUMBERS])
    if table.position:
        latitude, longitude = table.position
        yield inside_city(latitude=latitude, longitude=longitude, **asdict(city.bbox))
