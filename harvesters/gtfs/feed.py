"""The zip of a timetable to its tables and everything that is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property

import polars as pl

from harvesters.gtfs import archive, fields, findings, reading, schema, service, tables
from harvesters.gtfs.findings import ROW, Findings, Severity
from harvesters.gtfs.rules import (
    agencies,
    calendar,
    flex,
    names,
    others,
    pathways,
    shapes,
    stops,
    times,
)
from harvesters.japanese import TIME_ZONE


@dataclass(frozen=True, kw_only=True)
class Feed:
    """One timetable as it came: its tables as texts, and typed; its files; what was found."""

    name: str
    folder: str
    """Folder or inner zip in which the tables lay; blank where they lay at the top."""
    files: tuple[reading.File, ...]
    others: Mapping[str, bytes] = field(repr=False)
    """Files that are no table of GTFS or GTFS-JP, untouched."""
    tables: Mapping[str, pl.DataFrame] = field(repr=False)
    """Every table that the feed has, cells as they were written, without spaces around them."""
    typed: Mapping[str, pl.DataFrame] = field(repr=False)
    """Every table of GTFS, empty where the feed has none: numbers, dates, times in seconds."""
    findings: Findings = field(repr=False)
    checked_on: date

    @property
    def valid(self) -> bool:
        """Whether nothing breaks the specification."""
        return self.findings.total(Severity.ERROR) == 0

    @property
    def is_japanese(self) -> bool:
        """Whether any table or column of GTFS-JP is used."""
        return tables.is_japanese(self.tables)

    @property
    def info(self) -> dict[str, str]:
        """The first row of feed_info.txt: publisher, version, period."""
        rows = self.tables.get("feed_info", pl.DataFrame()).head(1).to_dicts()
        return {name: text for name, text in rows[0].items() if text} if rows else {}

    @property
    def bounds(self) -> tuple[float, float, float, float] | None:
        """West, south, east and north of all stops."""
        placed = self.typed["stops"].select("stop_lon", "stop_lat").drop_nulls()
        if placed.is_empty():
            return None
        low, high = placed.min().row(0), placed.max().row(0)
        return (*low, *high)

    @cached_property
    def days(self) -> pl.DataFrame:
        """Every service_id and date on which it runs."""
        return service.service_days(self.typed)

    def trips_on(self, day: date) -> pl.DataFrame:
        """The trips of a service day in the order of their departure."""
        return service.trips_on(self.typed, day)


def check(content: bytes, name: str, *, today: date | None = None, choose: str = "") -> Feed:
    """Reads a GTFS or GTFS-JP zip and checks it; NotAFeedError where it is none.

    `today` is the day for rules on coming and past days; `choose` picks one feed of several.
    """
    today = today or datetime.now(TIME_ZONE).date()
    opened = archive.open_feed(content, name, choose)
    found = Findings(rules=findings.rules("static"), lowered=schema.japanese())
    if opened.folder:
        found.add("invalid_input_files_in_subfolder", name, detail=opened.folder)
    files, raw = _read(opened, found)
    typed = _check_tables(raw, sorted(opened.files), found)
    for subject in (agencies, stops, times, flex, shapes, pathways, names, others):
        subject.check(typed, found)
    calendar.check(typed, found, today)
    return Feed(
        name=name,
        folder=opened.folder,
        files=tuple(files),
        others=opened.files,
        tables={table: frame.drop(ROW) for table, frame in raw.items()},
        typed=typed,
        findings=found,
        checked_on=today,
    )


def _table_of(file: str) -> str:
    """The table that a file holds; blank where it holds none."""
    stem = file.removesuffix(".txt")
    return stem if file.endswith(".txt") and stem in schema.tables() else ""


def _read(
    opened: archive.Archive, found: Findings
) -> tuple[list[reading.File], dict[str, pl.DataFrame]]:
    """Takes the tables out of the archive, so that no file is held twice; the others stay there."""
    files, raw = [], {}
    for name in sorted(opened.files):
        if table := _table_of(name):
            file, frame = reading.read(name, opened.files.pop(name), found)
            files.append(file)
            raw[table] = frame if frame.columns else pl.DataFrame(schema={ROW: pl.UInt32})
    return files, raw


def _check_tables(
    raw: dict[str, pl.DataFrame], strange: list[str], found: Findings
) -> dict[str, pl.DataFrame]:
    tables.check_files(raw, strange, found)
    empty = pl.DataFrame(schema={ROW: pl.UInt32})
    typed = {
        name: fields.typed(table, raw.get(name, empty), found)
        for name, table in schema.tables().items()
    }
    for name, frame in raw.items():
        table = schema.tables()[name]
        tables.check_columns(table, frame, found)
        tables.check_key(table, frame, found)
        tables.check_references(table, raw, found)
    return typed
