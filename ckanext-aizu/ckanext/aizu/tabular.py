"""Table Schemas and CSV files as callers hand them in: what cannot become a table of the DataStore is refused by name."""

import codecs
import csv
import io
import re
from collections.abc import Mapping
from typing import IO, Any

import ckan.plugins.toolkit as tk

# Table Schema type -> PostgreSQL type. numeric keeps every digit of a coordinate; float8 would not.
COLUMN_TYPES = {
    "string": "text",
    "integer": "int8",
    "number": "numeric",
    "boolean": "bool",
    "date": "date",
    "datetime": "timestamptz",
    "time": "time",
    "year": "int4",
    "yearmonth": "text",
    "duration": "text",
    "geopoint": "text",
    "array": "json",
    "object": "json",
    "geojson": "json",
    "any": "text",
}
MAX_COLUMN_BYTES = 63
MAX_COLUMNS = 1598
"""PostgreSQL's 1600 without _id and _full_text."""
TAKEN = ("tableoid", "ctid", "xmin", "cmin", "xmax", "cmax")
"""Columns that every table of PostgreSQL has."""
_COLUMN = re.compile(r'[^_"\x00\ud800-\udfff][^"\x00\ud800-\udfff]*')
# More than the longest headings we have met, and little beside a file that has no line break at all.
HEADER_BYTES = 1 << 20


def check_schema(schema: object) -> None:
    """Sees whether the columns of a Table Schema can be columns of a table.

    Raises:
        ValueError: they cannot; the message says which and why.
    """
    described = schema if isinstance(schema, Mapping) else {}
    fields = described.get("fields")
    if not isinstance(fields, list) or not fields or not all(isinstance(f, dict) for f in fields):
        raise ValueError(tk._("A Table Schema with fields is expected"))
    if len(fields) > MAX_COLUMNS:
        message = tk._("At most %i columns are expected, found %i")
        raise ValueError(message % (MAX_COLUMNS, len(fields)))
    for number, field in enumerate(fields, 1):
        _check_name(number, field.get("name"))
        kind = str(field.get("type", "any"))
        if kind not in COLUMN_TYPES:
            known = ", ".join(COLUMN_TYPES)
            told = (field["name"], kind, known)
            raise ValueError(tk._('Column "%s": type "%s" is unknown; known are %s') % told)
    names = [field["name"] for field in fields]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(tk._('Two columns are called "%s"') % twice)
    _check_key(names, described.get("primaryKey") or [])
    # Loads Polars, which the portal's pages do without.
    from ckanext.aizu import constraints

    constraints.check(fields)


def _check_name(number: int, name: object) -> None:
    if not isinstance(name, str) or not _COLUMN.fullmatch(name) or name.lower() in TAKEN:
        raise ValueError(tk._('Column %i: "%s" cannot be the name of a column') % (number, name))
    if len(name.encode()) > MAX_COLUMN_BYTES:
        raise ValueError(tk._('The column name "%s" is longer than 63 bytes') % name)


def _check_key(names: list[str], key: object) -> None:
    """The primary key: a column, or a list of some."""
    columns = [key] if isinstance(key, str) else key
    if not isinstance(columns, list) or not all(column in names for column in columns):
        raise ValueError(tk._("The primary key is no list of columns: %s") % key)


def check_header(expected: list[Any], file: IO[bytes]) -> None:
    """Sees whether a CSV file begins with the columns of its schema; the caller's word is not taken for it.

    Raises:
        ValueError: it does not; the message says what came and what was expected.
    """
    file.seek(0)
    try:
        head = codecs.getincrementaldecoder("utf-8-sig")().decode(file.read(HEADER_BYTES))
        header = next(csv.reader(io.StringIO(head, newline="")), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(tk._("Expected CSV in UTF-8: %s") % error) from error
    finally:
        file.seek(0)
    if header != expected:
        raise ValueError(tk._("Expected the columns %s, found %s") % (expected, header))
