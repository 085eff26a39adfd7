"""Table Schemas and CSV files as callers hand them in: what cannot become a table of the DataStore is refused by name."""

import codecs
import csv
import io
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
# More than the longest headings we have met, and little beside a file that has no line break at all.
HEADER_BYTES = 1 << 20


def check_schema(schema: object) -> None:
    """Sees whether the columns of a Table Schema can be columns of a table.

    Raises:
        ValueError: they cannot; the message says which and why.
    """
    fields = schema.get("fields") if isinstance(schema, Mapping) else None
    if not isinstance(fields, list) or not fields or not all(isinstance(f, dict) for f in fields):
        raise ValueError(tk._("A Table Schema with fields is expected"))
    names = [field.get("name") for field in fields]
    for number, field in enumerate(fields, 1):
        _check_name(number, str(field.get("name", "")))
        if names.count(field.get("name")) > 1:
            raise ValueError(tk._('Two columns are called "%s"') % field["name"])
        kind = str(field.get("type", "any"))
        if kind not in COLUMN_TYPES:
            known = ", ".join(COLUMN_TYPES)
            told = (field["name"], kind, known)
            raise ValueError(tk._('Column "%s": type "%s" is unknown; known are %s') % told)


def _check_name(number: int, name: str) -> None:
    if not name or name.startswith("_") or '"' in name:
        raise ValueError(tk._('Column %i: "%s" cannot be the name of a column') % (number, name))
    if len(name.encode()) > MAX_COLUMN_BYTES:
        raise ValueError(tk._('The column name "%s" is longer than 63 bytes') % name)


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
