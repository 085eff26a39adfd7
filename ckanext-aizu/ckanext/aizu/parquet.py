"""Writes a table as Parquet: typed as its Table Schema says, and as text where a value does not have its type."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from ckanext.aizu import geoparquet, parquet_file

# A double keeps 17 digits; more, or what is no plain number, would be changed by it.
_INTEGER = r"^[+-]?\d+$"
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?$"
_DIGITS, _LONGEST = 17, 40
_DATE = r"^\d{4}-\d{2}-\d{2}$"
_CLOCK = r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?"
# Without an offset nobody can tell which moment it is; a leap second no library knows.
_MOMENT = rf"^\d{{4}}-\d{{2}}-\d{{2}}[T ]{_CLOCK}(Z|[+-]\d{{2}}:\d{{2}})$"
# The words that PostgreSQL takes.
_YES, _NO = ("true", "t", "yes", "y", "on", "1"), ("false", "f", "no", "n", "off", "0")


@dataclass(frozen=True, kw_only=True)
class Written:
    """What was written."""

    rows: int
    as_text: tuple[str, ...]
    """Columns with a value that is not of their type: all of it stays as it is in the CSV."""


def write(
    content: Path,
    fields: list[dict[str, Any]],
    position: tuple[str, str] | None,
    metadata: Mapping[str, str],
    to: Path,
) -> Written:
    """Writes a table, row by row in its order; a blank cell is null.

    Args:
        content: CSV in UTF-8 with a header.
        fields: of its Table Schema.
        position: columns of latitude and longitude, which become points (GeoParquet).
        metadata: key-value metadata of the file.
        to: the file to write.
    """
    text = pl.scan_csv(content, infer_schema=False, empty_string_is_null=True, glob=False)
    typed = {one["name"]: _typed(one) for one in fields}
    seen = text.select(
        pl.len().alias("rows"),
        *(
            (_text(name).is_not_null() & value.is_null()).any().alias(f"other {name}")
            for name, value in typed.items()
        ),
        *(geoparquet.extent([typed[name] for name in position]) if position else ()),
    ).collect(engine="streaming")
    found = seen.row(0, named=True)
    as_text = tuple(name for name in typed if found[f"other {name}"])
    frame = text.select(
        (_text(name) if name in as_text else value).alias(name) for name, value in typed.items()
    )
    more = dict(metadata)
    if position and not set(position) & set(as_text):
        frame, described = geoparquet.with_points(frame, list(typed), position, found)
        more["geo"] = described
    parquet_file.save(frame, more, to)
    return Written(rows=found["rows"], as_text=as_text)


def _typed(field: Mapping[str, Any]) -> pl.Expr:
    """The values of a column; null where the text is none of its type."""
    text = _text(field["name"])
    typed = _TYPES.get(field.get("type", "any"))
    return typed(text) if typed else text


def _text(name: str) -> pl.Expr:
    """No value where the cell is empty; one between quotes would be a text without letters."""
    return pl.when(pl.col(name) != "").then(pl.col(name))


def _where(text: pl.Expr, pattern: str) -> pl.Expr:
    return pl.when(text.str.contains(pattern)).then(text)


def _integer(text: pl.Expr) -> pl.Expr:
    return _where(text, _INTEGER).cast(pl.Int64, strict=False)


def _number(text: pl.Expr) -> pl.Expr:
    digits = (
        text.str.replace("[eE].*$", "").str.replace_all(r"[^\d]", "").str.strip_chars_start("0")
    )
    kept = text.str.contains(_NUMBER) & (digits.str.len_bytes() <= _DIGITS)
    return (
        pl.when(kept & (text.str.len_bytes() <= _LONGEST)).then(text).cast(pl.Float64, strict=False)
    )


def _boolean(text: pl.Expr) -> pl.Expr:
    word = text.str.to_lowercase()
    return pl.when(word.is_in(_YES)).then(True).when(word.is_in(_NO)).then(False)


def _date(text: pl.Expr) -> pl.Expr:
    return _where(text, _DATE).str.to_date("%Y-%m-%d", strict=False)


def _moment(text: pl.Expr) -> pl.Expr:
    plain = _where(text, _MOMENT).str.replace(" ", "T", literal=True).str.replace("Z$", "+00:00")
    return plain.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%:z", time_unit="us", strict=False)


def _time(text: pl.Expr) -> pl.Expr:
    return _where(text, f"^{_CLOCK}$").str.to_time("%H:%M:%S%.f", strict=False)


def _year(text: pl.Expr) -> pl.Expr:
    return _where(text, _INTEGER).cast(pl.Int32, strict=False)


_TYPES: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "datetime": _moment,
    "time": _time,
    "year": _year,
}
