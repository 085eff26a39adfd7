"""Every cell against the type of its column; what is valid comes back as numbers, dates and seconds."""

import re
import zoneinfo
from functools import cache

import polars as pl

from harvesters.gtfs.findings import ROW, Findings
from harvesters.gtfs.schema import Field, TableSchema

PATTERNS = {
    "color": r"^[0-9A-Fa-f]{6}$",
    "date": r"^[0-9]{8}$",
    "time": r"^[0-9]{1,3}:[0-5][0-9]:[0-5][0-9]$",
    "url": r"^(?i:https?|ftp)://[^\s/?#.]+(\.[^\s/?#.]+)*\.?(:[0-9]+)?([/?#]\S*)?$",
    "email": r"^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$",
    "language": r"^(?:[A-Za-z]{2,3}(-[A-Za-z]{3}){0,3}|[A-Za-z]{4,8}|[xX])(-[A-Za-z0-9]{1,8})*$",
    "phone": r"^[0-9A-Za-z+＋()（）.．\-－‐ー/*#,;・ 　０-９]*[0-9０-９][^@]*$",
    "integer": r"^[+-]?[0-9]+$",
    "enum": r"^[+-]?[0-9]+$",
    "amount": r"^[+-]?[0-9]+(\.[0-9]+)?$",
}
NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
RULES = {
    "color": "invalid_color",
    "date": "invalid_date",
    "time": "invalid_time",
    "url": "invalid_url",
    "email": "invalid_email",
    "language": "invalid_language_code",
    "phone": "invalid_phone_number",
    "timezone": "invalid_timezone",
    "currency": "invalid_currency",
    "amount": "invalid_currency_amount",
    "integer": "invalid_integer",
    "enum": "invalid_integer",
}
PRINTABLE = r"^[\x20-\x7E]*$"
CURRENCIES = frozenset(
    re.findall(
        "...",
        "IESAEDAFNALLAMDANGAOAARSAUDAWGAZNBAMBBDBDTBGNBHDBIFBMDBNDBOBBRLBSDBTNBWPBYNBZDCADCDF"
        "CHECHFCHWCLFCLPCNYCOPCOUCRCCUCCUPCVECZKDJFDKKDOPDZDEGPERNETBEURFJDFKPGBPGELGHSGIPGMD"
        "GNFGTQGYDHKDHNLHRKHTGHUFIDRILSINRIQDIRRISKJMDJODJPYKESKGSKHRKMFKPWKRWKWDKYDKZTLAKLBP"
        "LKRLRDLSLLYDMADMDLMGAMKDMMKMNTMOPMRUMURMVRMWKMXNMXVMYRMZNNADNGNNIONOKNPRNZDOMRPABPEN"
        "PGKPHPPKRPLNPYGQARRONRSDRUBRWFSARSBDSCRSDGSEKSGDSHPSLESLLSOSSRDSSPSTNSVCSYPSZLTHBTJS"
        "TMTTNDTOPTRYTTDTWDTZSUAHUGXUSDUSNUYIUYUUYWUZSVEDVESVNDVUVWSTXAFXCDXOFXPFYERZARZMWZWL",
    )
)
"""ISO 4217, as the canonical validator takes them from Java."""


def typed(table: TableSchema, frame: pl.DataFrame, findings: Findings) -> pl.DataFrame:
    """The same rows with numbers, dates and seconds; a cell that is not valid is null and reported."""
    there = [
        _typed(table, field, frame, findings)
        for field in table.fields
        if field.name in frame.columns
    ]
    missing = [
        pl.lit(None, dtype=_dtype(field)).alias(field.name)  # takes no memory, unlike a column
        for field in table.fields
        if field.name not in frame.columns
    ]
    return pl.DataFrame([frame[ROW], *there]).with_columns(missing)


def seconds(cells: pl.Series) -> pl.Series:
    """H:MM:SS as seconds since the beginning of the service day, which may be more than a day."""
    parts = cells.str.extract_groups(r"^([0-9]{1,3}):([0-5][0-9]):([0-5][0-9])$").struct.unnest()
    hours, minutes, rest = (parts[f"{number}"].cast(pl.Int32) for number in (1, 2, 3))
    return (hours * 3600 + minutes * 60 + rest).alias(cells.name)


def _dtype(field: Field) -> type[pl.DataType]:
    if field.gtfs_type == "time":
        return pl.Int32
    return {
        "string": pl.String,
        "number": pl.Float64,
        "integer": pl.Int64,
        "date": pl.Date,
    }[field.type]


def _typed(table: TableSchema, field: Field, frame: pl.DataFrame, findings: Findings) -> pl.Series:
    cells = frame[field.name]
    if cells.null_count() == frame.height:
        return pl.Series(field.name, [None] * frame.height, dtype=_dtype(field))
    good = _well_formed(field, cells)
    rule = RULES.get(field.gtfs_type, "invalid_float")
    _report(table, field, frame, (cells.is_not_null() & ~good), rule, findings)
    values = _values(field, cells.set(~good, None))
    if field.type in {"number", "integer"}:
        values = _in_range(table, field, frame, values, findings)
    if field.gtfs_type == "date":
        _report(table, field, frame, good & values.is_null() & cells.is_not_null(), rule, findings)
    if field.gtfs_type == "id":
        foreign = ~cells.str.contains(PRINTABLE)
        _report(table, field, frame, foreign, "non_ascii_or_non_printable_char", findings)
    return values


def _well_formed(field: Field, cells: pl.Series) -> pl.Series:
    """Blank cells are well formed; whether they may be blank is asked elsewhere."""
    kind = field.gtfs_type
    if kind in {"id", "text"}:
        good = cells.is_not_null()
    elif kind == "timezone":
        good = cells.is_in(sorted(_timezones()))
    elif kind == "currency":
        good = cells.is_in(sorted(CURRENCIES))
    else:
        good = cells.str.contains(PATTERNS.get(kind, NUMBER))
    return good.fill_null(value=True)


@cache
def _timezones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _values(field: Field, cells: pl.Series) -> pl.Series:
    if field.gtfs_type == "time":
        return seconds(cells)
    if field.type == "date":
        return cells.str.to_date("%Y%m%d", strict=False)
    if field.type in {"number", "integer"}:
        return cells.str.strip_prefix("+").cast(_dtype(field), strict=False)
    return cells


def _in_range(
    table: TableSchema, field: Field, frame: pl.DataFrame, values: pl.Series, findings: Findings
) -> pl.Series:
    """A number out of its range is no number to reckon with."""
    outside = pl.Series([False]).new_from_index(0, frame.height)
    if field.minimum is not None:
        outside |= (values < field.minimum).fill_null(value=False)
    if field.maximum is not None:
        outside |= (values > field.maximum).fill_null(value=False)
    limits = ((">=", field.minimum), ("<=", field.maximum))
    detail = ", ".join(f"{sign} {end:g}" for sign, end in limits if end is not None)
    _report(table, field, frame, outside, "number_out_of_range", findings, detail=detail)
    if field.enum:
        unknown = values.is_not_null() & ~values.is_in(list(field.enum))
        detail = ", ".join(map(str, field.enum))
        _report(table, field, frame, unknown, "unexpected_enum_value", findings, detail=detail)
    return values.set(outside, None)


def _report(
    table: TableSchema,
    field: Field,
    frame: pl.DataFrame,
    mask: pl.Series,
    rule: str,
    findings: Findings,
    detail: str = "",
) -> None:
    if mask.any():
        rows = frame.select(ROW, field.name).filter(mask)
        findings.add_rows(rule, table.path, field.name, rows, detail=detail)
