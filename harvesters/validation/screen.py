"""Which rows may be wrong, found by looking at whole columns: rather too many than one too few."""

import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl
from frictionless import Field

from harvesters.checks import surely_plain
from harvesters.validation.cells import Cells

DAY = (
    "(?:19|20)[0-9]{2}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
    "|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
)
CLOCK = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
ZONE = "(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])?"
ANY_TEXT = {"any", "string"}
NUMBERS = {"integer", "number"}
PLAIN = {
    "datetime": rf"^{DAY}T{CLOCK}(?:\.[0-9]{{1,6}})?{ZONE}$",
    "time": rf"^{CLOCK}(?:\.[0-9]{{1,6}})?{ZONE}$",
}
"""Texts that are a value of the type for certain."""
ONE_WAY = {
    "integer": "^(?:0|-?[1-9][0-9]{0,17})$",
    "number": r"^(?:0|-?[1-9][0-9]{0,14}|-?(?:0|[1-9][0-9]{0,14})\.[0-9]{0,14}[1-9])$",
    "date": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    "datetime": rf"^{DAY}T{CLOCK}(?:\.[0-9]{{0,5}}[1-9])?Z$",
}
"""Texts that are the same value only if they are the same text."""
PLAIN_PATTERN = re.compile(
    r"(?:(?:\[(?:[0-9A-Za-z]-[0-9A-Za-z]|[0-9A-Za-z])+\]|[0-9A-Za-z :/_-])"
    r"(?:\{[0-9]{1,3}(?:,[0-9]{0,3})?\}|[*+?])?)+"
)
"""Patterns that mean the same to Python and to Polars."""


@dataclass(frozen=True, kw_only=True)
class Doubts:
    """What of a table Frictionless must see."""

    rows: list[int]
    """Their places: the first, and any that may be wrong."""
    unreadable: dict[int, frozenset[str]]
    """Texts that break Frictionless's own reading of a field, by the place of the field."""


@dataclass(frozen=True, kw_only=True)
class _Answers:
    """What Frictionless says to the texts of a column that are not valid beyond doubt."""

    refused: pl.Series | None = None
    """The cells that it refuses, if there are any."""
    unreadable: frozenset[str] = frozenset()


def doubtful(cells: Cells, fields: list[Field], key: list[str], checks: list[pl.Expr]) -> Doubts:
    """The rows that may be wrong."""
    columns = cells.frame.get_columns()
    unsure, broken = _looked(cells.frame, fields, checks)
    answers = [
        _asked(column, unsure.get(column.name), field, _is_compared(field, key))
        for column, field in zip(columns, fields, strict=True)
    ]
    refused = [answer.refused for answer in answers]
    rows = {*range(min(1, cells.frame.height)), *cells.ragged, *_blank(columns, fields)}
    for mask in (broken, *refused, *_repeated(columns, fields, refused, key)):
        if mask is not None:
            rows.update(mask.arg_true())
    unreadable = {place: one.unreadable for place, one in enumerate(answers) if one.unreadable}
    return Doubts(rows=sorted(rows), unreadable=unreadable)


def _looked(
    frame: pl.DataFrame, fields: list[Field], checks: list[pl.Expr]
) -> tuple[dict[str, pl.Series], pl.Series]:
    """The cells that are not valid beyond doubt, by column; the rows that may break a check."""
    looked = frame.lazy().select(
        *(
            ~_surely_valid(pl.col(str(place)), field)
            for place, field in enumerate(fields)
            if not _takes_anything(field)
        ),
        pl.any_horizontal(pl.lit(False), *checks).fill_null(True).alias("checks"),
    )
    *masks, broken = looked.collect().get_columns()
    return {mask.name: mask.fill_null(False) for mask in masks if mask.any()}, broken


def _takes_anything(field: Field) -> bool:
    """Whether any cell is valid; rows that have no such cell are ragged, and known."""
    return field.type in ANY_TEXT and _is_usual(field) and not _active(field)


def _active(field: Field) -> list[str]:
    """The constraints that Frictionless looks at."""
    return [name for name in field.supported_constraints if field.constraints.get(name) is not None]


def _is_compared(field: Field, key: list[str]) -> bool:
    return field.name in key or bool(field.constraints.get("unique"))


def _blank(columns: list[pl.Series], fields: list[Field]) -> pl.Series:
    """The rows without any value: looked for among those whose first cells are missing."""
    rows = columns[0].is_in(_missing(fields[0])).arg_true()
    for column, field in zip(columns[1:], fields[1:], strict=True):
        if rows.is_empty():
            break
        rows = rows.filter(column.gather(rows).is_in(_missing(field)))
    return rows


def _repeated(
    columns: list[pl.Series], fields: list[Field], refused: list[pl.Series | None], key: list[str]
) -> Iterator[pl.Series]:
    """The rows that share a value or a key which should be theirs alone, or have no key."""
    keys = {
        field.name: _key(
            column, field, column.is_in(_missing(field)) | (False if mask is None else mask)
        )
        for column, field, mask in zip(columns, fields, refused, strict=True)
        if _is_compared(field, key)
    }
    for field in fields:
        if field.constraints.get("unique"):
            yield keys[field.name].is_duplicated() & keys[field.name].is_not_null()
    if key:
        chosen = pl.DataFrame([keys[name].alias(name) for name in key])
        # by their hashes: in a third of the memory of the next line
        if chosen.hash_rows().n_unique() < chosen.height:
            yield chosen.is_duplicated()
        yield chosen.select(pl.all_horizontal(pl.all().is_null())).to_series()


def _missing(field: Field) -> pl.Series:
    if not field.has_defined("missing_values") and field.schema:
        return _texts(field.schema.missing_values)
    return _texts(field.missing_values)


def _texts(texts: Iterable[str]) -> pl.Series:
    """One list, with its type, which an empty list does not have."""
    return pl.Series(texts, dtype=pl.String).implode()


def _asked(column: pl.Series, unsure: pl.Series | None, field: Field, compared: bool) -> _Answers:
    """Frictionless is asked once for each text."""
    if unsure is None:
        return _Answers()
    texts = column.filter(unsure).unique().drop_nulls()
    read = field.create_cell_reader()
    answers = {text: _accepted(read, text, compared) for text in texts}
    wrong = [text for text, accepted in answers.items() if not accepted]
    return _Answers(
        refused=column.is_in(_texts(wrong)).fill_null(False) if wrong else None,
        unreadable=frozenset(text for text in wrong if answers[text] is None),
    )


def _accepted(read: Callable[[str], tuple[Any, Any]], text: str, compared: bool) -> bool | None:
    """Whether the text is a valid value; nothing if looking at it fails."""
    try:
        value, notes = read(text)
        if compared:
            hash(value)
    except Exception:  # noqa: BLE001  any type of field may raise anything
        return None
    return not notes


def _surely_valid(cell: pl.Expr, field: Field) -> pl.Expr:
    """What is valid beyond doubt; false where only Frictionless knows."""
    active = _active(field)
    rules = [_of_type(cell, field), *(_fulfilled(cell, field, name) for name in active)]
    known = [rule for rule in rules if rule is not None]
    if len(known) < len(rules):
        return cell.is_null()
    return pl.all_horizontal(*known, ~cell.is_in(_missing(field)))


def _of_type(cell: pl.Expr, field: Field) -> pl.Expr | None:
    if field.type not in {*ANY_TEXT, *NUMBERS, *PLAIN} or not _is_usual(field):
        return None
    if field.type in NUMBERS:
        return surely_plain(cell, field.type)
    return cell.is_not_null() if field.type in ANY_TEXT else cell.str.contains(PLAIN[field.type])


def _is_usual(field: Field) -> bool:
    odd = {"group_char", "decimal_char", "bare_number", "float_number"}
    return field.format == "default" and not odd.intersection(field.list_defined())


def _fulfilled(cell: pl.Expr, field: Field, name: str) -> pl.Expr | None:
    """What surely fulfils a constraint."""
    wanted = field.constraints[name]
    if name == "required":
        return cell.is_not_null()
    if name == "pattern":
        return cell.str.contains(f"^{wanted}$") if PLAIN_PATTERN.fullmatch(wanted) else None
    if name == "minLength":
        return cell.str.len_chars().ge(wanted)
    if name == "maxLength":
        return cell.str.len_chars().le(wanted)
    if field.type in NUMBERS and name != "enum":
        return _inside(cell, field, name)
    return None


def _inside(cell: pl.Expr, field: Field, name: str) -> pl.Expr | None:
    """Strictly inside a bound: what rounds to the bound itself is left to Frictionless."""
    try:
        bound = float(field.create_value_reader()(field.constraints[name]))
    except (TypeError, ValueError, OverflowError):
        return None
    if math.isnan(bound):
        return None
    number = cell.cast(pl.Int64 if field.type == "integer" else pl.Float64, strict=False)
    return number.gt(bound) if name.lower().endswith("minimum") else number.lt(bound)


def _key(column: pl.Series, field: Field, nothing: pl.Series) -> pl.Series:
    """The same for two cells if they hold the same value, and null where they hold none."""
    texts = column
    if nothing.any():
        texts = column.zip_with(~nothing, pl.Series([None], dtype=pl.String))
    if _is_usual(field) and (
        field.type in ANY_TEXT
        or (field.type in ONE_WAY and texts.drop_nulls().str.contains(ONE_WAY[field.type]).all())
    ):
        return texts
    read = field.create_cell_reader()
    distinct = texts.unique().drop_nulls()
    values: dict[Any, int] = {}
    numbers = [values.setdefault(read(text)[0], len(values)) for text in distinct]
    return texts.replace_strict(distinct, pl.Series(numbers, dtype=pl.Int64))
