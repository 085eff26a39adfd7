"""Frictionless's verdict on the clean table, given on exactly the bytes that would be published."""

import csv
import io
from dataclasses import dataclass
from typing import Any

from frictionless import Checklist, Dialect, Schema
from frictionless.checks.table.table_dimensions import table_dimensions
from frictionless.formats import CsvControl
from frictionless.resources import TableResource

from harvesters.checks import inside_city, plain_numbers
from harvesters.city import City, Feed
from harvesters.source import Table
from harvesters.validation.judge import judge

NUMBERS = ("number", "integer")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The clean CSV and what Frictionless says of it."""

    valid: bool
    report: dict[str, Any]
    csv: bytes


def validate(table: Table, feed: Feed, city: City) -> Verdict:
    """Judges the table by its schema, the row bounds and the bounds of the city."""
    return judged(table, feed.dataset.name, _checklist(table, feed, city))


def judged(table: Table, name: str, checklist: Checklist) -> Verdict:
    """Judges the table by its schema and a list of checks."""
    content, described = to_csv(table), schema(table)

    def resource() -> TableResource:
        return TableResource(
            name=name,
            data=content,
            scheme="buffer",
            format="csv",
            encoding="utf-8-sig",
            dialect=_dialect(),
            schema=Schema.from_descriptor(described),
        )

    report = judge(resource, checklist)
    return Verdict(valid=report.valid, report=report.to_descriptor(), csv=content)


def schema(table: Table) -> dict[str, Any]:
    """The Table Schema of the clean table."""
    told: dict[str, Any] = {"fields": [field.descriptor() for field in table.fields]}
    return told | ({"primaryKey": list(table.key)} if table.key else {})


def to_csv(table: Table) -> bytes:
    """UTF-8 with a byte order mark and CRLF, as RFC 4180 and Excel want it."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(field.name for field in table.fields)
    writer.writerows(table.rows)
    return text.getvalue().encode("utf-8-sig")


def _dialect() -> Dialect:
    """All said, so that Frictionless need not guess from a sample."""
    control = CsvControl(
        delimiter=",", quote_char='"', line_terminator="\r\n", skip_initial_space=False
    )
    return Dialect(controls=[control])


def _checklist(table: Table, feed: Feed, city: City) -> Checklist:
    return Checklist(
        checks=[
            table_dimensions(min_rows=feed.rows.minimum, max_rows=feed.rows.maximum),
            plain_numbers(columns=[field.name for field in table.fields if field.type in NUMBERS]),
            inside_city(
                latitude=feed.dataset.latitude,
                longitude=feed.dataset.longitude,
                west=city.bbox.west,
                south=city.bbox.south,
                east=city.bbox.east,
                north=city.bbox.north,
            ),
        ]
    )
