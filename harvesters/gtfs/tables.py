"""Each table against its schema, and the tables against one another: columns, keys, references."""

from collections.abc import Mapping

import polars as pl

from harvesters.gtfs.findings import ROW, Findings
from harvesters.gtfs.schema import TableSchema, tables

Frames = Mapping[str, pl.DataFrame]
RECOMMENDED = {
    "feed_info": ("feed_start_date", "feed_end_date", "feed_version"),
    "stop_times": ("timepoint",),
}
"""Columns that the reference asks for with `should`."""
JAPANESE_NEEDS = ("fare_attributes", "translations")
"""What GTFS-JP requires beyond GTFS: fares, and the readings of names."""
LOCATIONS = "locations.geojson"
MISSING = {"required": "missing_required_file", "recommended": "missing_recommended_file"}
OLD_TRANSLATIONS = frozenset(("trans_id", "lang", "translation"))
"""Up to its second edition, GTFS-JP had the layout that Google used before GTFS took it in."""


def check_files(raw: Frames, others: list[str], findings: Findings) -> None:
    """The files that must be there, and those that nobody knows."""
    for name, table in tables().items():
        if table.presence in MISSING and name not in raw:
            findings.add(MISSING[table.presence], table.path)
    if "stops" not in raw and LOCATIONS not in others:
        findings.add("missing_required_file", "stops.txt")
    if not {"calendar", "calendar_dates"} & raw.keys():
        findings.add("missing_calendar_and_calendar_date_files", "calendar.txt")
    for name in (name for name in others if name != LOCATIONS):
        findings.add("unknown_file", name)
    _check_networks(raw, findings)
    if is_japanese(raw):
        for name in [name for name in JAPANESE_NEEDS if name not in raw]:
            findings.add("missing_recommended_file", f"{name}.txt")


def _check_networks(raw: Frames, findings: Findings) -> None:
    if {"networks", "route_networks"} & raw.keys() and "network_id" in columns(raw, "routes"):
        rule = "route_networks_specified_in_more_than_one_file"
        findings.add(rule, "route_networks.txt", "network_id")


def is_japanese(raw: Frames) -> bool:
    """Whether the feed uses any table or column of the Japanese extension."""
    schemas = tables()
    return any(
        schemas[name].japanese
        or any(field.japanese and field.name in frame.columns for field in schemas[name].fields)
        for name, frame in raw.items()
    )


def columns(raw: Frames, name: str) -> list[str]:
    """The columns of a table; none where the table is missing."""
    return raw[name].columns if name in raw else []


def check_columns(table: TableSchema, frame: pl.DataFrame, findings: Findings) -> None:
    """The columns that must be there, those nobody knows, and the cells that must not be blank."""
    if not frame.columns:
        return
    known = {field.name for field in table.fields}
    for name in frame.columns:
        if name not in known | {ROW}:
            findings.add("unknown_column", table.path, name)
    if not frame.height and table.presence == "required":
        findings.add("empty_file", table.path)
    old = table.name == "translations" and set(frame.columns) >= OLD_TRANSLATIONS
    for field in table.fields:
        there = field.name in frame.columns
        if field.column_required and not there and not old:
            findings.add("missing_required_column", table.path, field.name)
        if field.required and there:
            blank = frame.filter(pl.col(field.name).is_null()).select(ROW)
            findings.add_rows("missing_required_field", table.path, field.name, blank)
    for name in RECOMMENDED.get(table.name, ()):
        if name not in frame.columns:
            findings.add("missing_recommended_column", table.path, name)


def check_key(table: TableSchema, frame: pl.DataFrame, findings: Findings) -> None:
    """No two rows with the same key; the second and every further one is reported."""
    key = [name for name in table.key if name in frame.columns]
    if not key or frame.is_empty() or (table.name == "translations" and len(key) < len(table.key)):
        return
    needed = [field.name for field in table.fields if field.required and field.name in key]
    rows = frame.select(ROW, *key).drop_nulls(needed)
    twice = rows.filter(~pl.struct(key).is_first_distinct())
    if twice.is_empty():
        return
    firsts = rows.unique(key, keep="first").rename({ROW: "first"})
    found = twice.join(firsts, on=key, nulls_equal=True, how="left")
    shown = found.with_columns(
        pl.concat_str([pl.col(name).fill_null("") for name in key], separator=", ").alias("shown")
    ).sort(ROW)
    findings.add_rows("duplicate_key", table.path, key[0], shown, value="shown")


def check_references(table: TableSchema, raw: Frames, findings: Findings) -> None:
    """Every value that points to another table is found there, in one of them where there are several."""
    frame = raw[table.name]
    for name, targets in table.references.items():
        if name not in frame.columns or frame[name].null_count() == frame.height:
            continue
        if all(tables()[target].japanese and target not in raw for target, _ in targets):
            continue  # an office or pattern may be named without the optional table that describes it
        present = [
            raw[target][column].drop_nulls()
            for target, column in targets
            if target in raw and column in raw[target].columns
        ]
        known = pl.concat([column.alias(name) for column in present]).unique() if present else None
        rows = frame.select(ROW, name).drop_nulls(name)
        if known is not None:
            rows = rows.join(known.to_frame(), on=name, how="anti")
        other = " / ".join(f"{target}.txt {column}" for target, column in targets)
        findings.add_rows("foreign_key_violation", table.path, name, rows.sort(ROW), other=other)
