"""What a Table Schema asks of the cells of a column, as expressions over whole columns."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import ckan.plugins.toolkit as tk
import polars as pl

JSON = dict[str, Any]
LONGEST = 80
"""Characters of a value that are shown."""
_DAY = "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
_CLOCK = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:?[0-9]{2})?"
_NUMBER = r"[+-]?[0-9]+(\.[0-9]+)?"
_FORMS = {
    "boolean": ("true|True|TRUE|1|false|False|FALSE|0", "true, false"),
    "date": (_DAY, "2026-01-31"),
    "datetime": (f"{_DAY}[T ]{_CLOCK}", "2026-01-31T09:30:00+09:00"),
    "time": (_CLOCK, "09:30:00"),
    "year": ("[0-9]{4}", "2026"),
    "yearmonth": ("[0-9]{4}-(0[1-9]|1[0-2])", "2026-01"),
    "duration": ("-?P[0-9YMWDTHS.]+", "P1DT12H"),
    "geopoint": (f"{_NUMBER}, ?{_NUMBER}", "139.93, 37.49"),
    "array": (r"(?s:\s*\[.*)", "[1, 2]"),
    "object": (r"(?s:\s*\{.*)", '{"a": 1}'),
    "geojson": (r"(?s:\s*\{.*)", '{"type": "Point", "coordinates": [139.93, 37.49]}'),
}
"""How values of a type are written, and an example; PostgreSQL alone would take `now` for a date."""
_BOUNDS: dict[str, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    "minimum": pl.Expr.ge,
    "maximum": pl.Expr.le,
    "exclusiveMinimum": pl.Expr.gt,
    "exclusiveMaximum": pl.Expr.lt,
}
_LENGTHS: dict[str, Callable[[pl.Expr, int], pl.Expr]] = {
    "minLength": pl.Expr.ge,
    "maxLength": pl.Expr.le,
}


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What the cells of a column must be."""

    column: str
    broken: pl.Expr
    expected: str


def check(fields: Sequence[JSON]) -> None:
    """Sees whether the constraints of a Table Schema can be looked at.

    Raises:
        ValueError: one cannot; the message says which.
    """
    for field in fields:
        constraints = field.get("constraints", {})
        if not isinstance(constraints, dict):
            raise _unsound(field, "constraints", constraints)
        for name, wanted in constraints.items():
            if not _is_sound(field, name, wanted):
                raise _unsound(field, name, wanted)


def _unsound(field: JSON, name: str, wanted: object) -> ValueError:
    told = {"column": field["name"], "constraint": f"{name}: {short(wanted)}"}
    return ValueError(tk._('Column "%(column)s": this cannot be checked: %(constraint)s') % told)


def _is_sound(field: JSON, name: str, wanted: Any) -> bool:
    if name in ("required", "unique"):
        return isinstance(wanted, bool)
    if name in _LENGTHS:
        return isinstance(wanted, int) and 0 <= wanted < 1 << 32
    if name == "pattern":
        return isinstance(wanted, str) and _compiles(wanted)
    if name == "enum":
        return isinstance(wanted, list) and bool(wanted) and _have_type(field, wanted)
    return name not in _BOUNDS or _have_type(field, [wanted])


def _compiles(pattern: str) -> bool:
    """Patterns whose search takes time out of all proportion (look-around, back-references) do not."""
    try:
        pl.Series([""]).str.contains(_whole(pattern))
    except pl.exceptions.PolarsError:
        return False
    return True


def _have_type(field: JSON, values: Sequence[object]) -> bool:
    """Whether the values in a constraint are of their column's type."""
    if not all(isinstance(value, str | int | float) for value in values):
        return False
    return _constants(field, values).null_count() == 0


def _constants(field: JSON, values: Sequence[object]) -> pl.Series:
    return pl.select(_value(pl.lit(pl.Series(_texts(values))), _kind(field))).to_series()


def _kind(field: JSON) -> str:
    return str(field.get("type", "any"))


def _texts(values: Sequence[object]) -> list[str]:
    return [str(value).lower() if isinstance(value, bool) else str(value) for value in values]


def _whole(pattern: str) -> str:
    return f"^(?:{pattern})$"


def short(value: object) -> str:
    """As much of a value as fits into a sentence."""
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _value(cell: pl.Expr, kind: str) -> pl.Expr:
    """What is compared; null where there is nothing, or nothing of the type."""
    if kind in ("integer", "year"):
        return cell.cast(pl.Int64, strict=False)
    if kind == "number":
        return cell.cast(pl.Float64, strict=False)
    if kind == "date":
        return cell.str.to_date("%Y-%m-%d", strict=False)
    if kind == "datetime":
        # As the DataStore reads it, whose clock is UTC.
        zoned = cell.str.contains("(?:Z|[+-][0-9]{2}:?[0-9]{2})$")
        told = pl.when(zoned).then(cell).otherwise(cell + "Z")
        return told.str.to_datetime("%+", time_zone="UTC", strict=False)
    if kind == "boolean":
        return cell.str.to_lowercase().replace({"1": "true", "0": "false", "": None})
    there = pl.when(cell != "").then(cell)
    if kind == "time":
        return pl.when(cell.str.len_bytes() == len("09:30")).then(cell + ":00").otherwise(there)
    return there


def keys(schema: JSON) -> Iterator[tuple[list[str], pl.Expr, pl.Expr]]:
    """What no two rows may have in common: the columns, their values, and where it is missing."""
    kinds = {field["name"]: _kind(field) for field in schema["fields"]}
    named = schema.get("primaryKey") or []
    key = [named] if isinstance(named, str) else named
    values = [_value(pl.col(name), kinds[name]) for name in key]
    if key:
        yield key, pl.struct(values), pl.all_horizontal(value.is_null() for value in values)
    for field in schema["fields"]:
        if field.get("constraints", {}).get("unique"):
            value = _value(pl.col(field["name"]), _kind(field))
            yield [field["name"]], value, pl.lit(value=False)


def rules(field: JSON) -> Iterator[Rule]:
    """What the cells of a column must be, by the type and the constraints of the field."""
    cell, name = pl.col(field["name"]), field["name"]
    for fulfilled, expected in _wanted(field):
        broken = (cell != "") & ~fulfilled.fill_null(value=False)
        yield Rule(column=name, broken=broken, expected=expected)
    if field.get("constraints", {}).get("required"):
        yield Rule(column=name, broken=cell == "", expected="required")


def _wanted(field: JSON) -> Iterator[tuple[pl.Expr, str]]:
    """Of a cell that is not blank."""
    cell, kind = pl.col(field["name"]), _kind(field)
    value = _value(cell, kind)
    if kind == "integer":
        yield value.is_not_null(), kind
    elif kind == "number":
        # NaN and infinity cannot be said in the JSON that readers get.
        yield value.is_finite(), kind
    elif kind in _FORMS:
        form, example = _FORMS[kind]
        yield cell.str.contains(_whole(form)), f"{kind} ({example})"
    for name, wanted in field.get("constraints", {}).items():
        told = f"{name} {short(wanted)}"
        if name == "pattern":
            yield cell.str.contains(_whole(wanted)), told
        elif name == "enum":
            yield value.is_in(_constants(field, wanted).implode()), told
        elif name in _LENGTHS:
            yield _LENGTHS[name](cell.str.len_chars(), wanted), told
        elif name in _BOUNDS:
            yield _BOUNDS[name](value, pl.lit(_constants(field, [wanted])[0])), told
