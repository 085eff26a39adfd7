"""Seats of reading rooms: times in UTC, free seats where they follow, and what cannot be right."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from harvesters.city import Feed
from harvesters.intake import Sheet, dates
from harvesters.intake.numbers import Change
from harvesters.japanese import TIME_ZONE, half_width, heading_key
from harvesters.library.rooms import FREE, OBSERVED, OPEN, ROOM, SEATS, USED, state_of
from harvesters.source import Problem, Repair, Table
from harvesters.words import Words

ZONE = re.compile(r"(.*\d)\s*\(?(JST|UTC|GMT|[A-Z][a-z]+/[A-Z][A-Za-z_]+)\)?")
ZONES = {"JST": "Asia/Tokyo", "GMT": "UTC"}
FUTURE = timedelta(minutes=5)
"""Clocks differ a little; more than this is a wrong clock."""
OLD = timedelta(minutes=15)
"""Older figures mislead whoever sets out for a seat."""


def with_columns(sheet: Sheet, feed: Feed) -> Sheet:
    """A list of one library, or without floors or sums, gets those columns blank."""
    came = {heading_key(heading) for heading in sheet.headings}
    lacking = []
    for field in feed.dataset.fields:
        names = {heading_key(field.name), *(heading_key(str(origin)) for origin in field.origins)}
        told = field.name in feed.constants or field.name in feed.columns or names & came
        if field.name != ROOM and not told:
            lacking.append(field.name)
    return replace(
        sheet,
        headings=[*sheet.headings, *lacking],
        rows=[[*cells, *[""] * len(lacking)] for cells in sheet.rows],
    )


def completed(table: Table, asked_at: datetime) -> Table:
    """States as true and false, times in UTC, free seats computed; every change is recorded."""
    changed = _changed(table, OPEN, lambda cell: Change(state_of(cell) or cell, "open-state"))
    changed = _changed(changed, OBSERVED, lambda cell: _instant(cell, asked_at))
    return _asked(_counted(changed), asked_at)


def is_of_the_moment(table: Table) -> bool:
    """Whether its times follow from when it was asked for: it has none, or no day with some of them."""
    cells = [cell for cell in table.frame.get_column(OBSERVED).to_list() if cell]
    then, later = (datetime(2000, 1, day, tzinfo=UTC) for day in (1, 2))
    return not cells or any(instant_of(cell, then) != instant_of(cell, later) for cell in cells)


def _changed(table: Table, column: str, made: Callable[[str], Change]) -> Table:
    cells = table.frame.get_column(column).to_list()
    after = [made(cell) if cell else Change("") for cell in cells]
    return _replaced(table, column, cells, after)


def _replaced(table: Table, column: str, cells: Sequence[str], after: Sequence[Change]) -> Table:
    repairs = [
        Repair(row=row, column=column, before=before, after=change.after, rule=change.rule)
        for row, before, change in zip(table.row_numbers, cells, after, strict=True)
        if before != change.after
    ]
    frame = table.frame.with_columns(
        pl.Series(column, [change.after for change in after], pl.String)
    )
    repairs = sorted([*table.repairs, *repairs], key=lambda repair: repair.row)
    return replace(table, frame=frame, repairs=repairs)


def _instant(cell: str, asked_at: datetime) -> Change:
    """The time in UTC; what cannot be read stays for the checks to report."""
    when = instant_of(cell, asked_at)
    return Change(when.strftime("%Y-%m-%dT%H:%M:%SZ"), "utc") if when else Change(cell)


def instant_of(text: str, asked_at: datetime) -> datetime | None:
    """A time in any of the ways in which systems write it; one of day alone belongs to today."""
    text = half_width(text)
    if re.fullmatch(r"(\d{10}|\d{13})(\.\d+)?", text):
        return datetime.fromtimestamp(int(text[:10]), UTC)
    zoned = ZONE.fullmatch(text)
    bare = zoned[1].strip() if zoned else text
    try:
        zone = ZoneInfo(ZONES.get(zoned[2], zoned[2])) if zoned else TIME_ZONE
        for read in (_iso, _japanese, _of_mail, partial(_of_day, asked_at=asked_at)):
            if when := read(bare):
                return (when if when.tzinfo else when.replace(tzinfo=zone)).astimezone(UTC)
    except (ZoneInfoNotFoundError, OverflowError):
        pass  # a place without a zone, or the year 1
    return None


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if len(text) > len("2026-11-22") else None
    except ValueError:
        return None


def _japanese(text: str) -> datetime | None:
    return _iso(dates.datetimes([text])[0].after)


def _of_mail(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None


def _of_day(text: str, asked_at: datetime) -> datetime | None:
    clock = dates.times([text])[0].after
    if not re.fullmatch(r"([01]\d|2[0-3]):\d\d:\d\d", clock):
        return None
    when = datetime.combine(
        asked_at.astimezone(TIME_ZONE).date(), time.fromisoformat(clock), TIME_ZONE
    )
    return when - timedelta(days=1) if when > asked_at + timedelta(hours=12) else when


def _counted(table: Table) -> Table:
    """Of seats, free seats and seats in use, the third follows from the other two."""
    columns = {name: table.frame.get_column(name).to_list() for name in (SEATS, FREE, USED)}
    for name, less in ((FREE, USED), (USED, FREE)):
        if any(columns[name]):
            continue
        pairs = zip(columns[SEATS], columns[less], strict=True)
        after = [Change(_less(seats, other), "computed") for seats, other in pairs]
        table = _replaced(table, name, columns[name], after)
        columns[name] = [change.after for change in after]
    return table


def _less(seats: str, other: str) -> str:
    """More people than seats leave no number of free seats that could be told."""
    if not (re.fullmatch(r"\d{1,9}", seats) and re.fullmatch(r"\d{1,9}", other)):
        return ""
    return str(int(seats) - int(other)) if int(other) <= int(seats) else ""


def _asked(table: Table, asked_at: datetime) -> Table:
    """Where no time comes with the figures, they are those of the moment when they were asked for."""
    if any(table.frame.get_column(OBSERVED).to_list()):
        return table
    when = asked_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    note = Words(
        "観測日時が無いため、問い合わせた日時を入れました。",
        "No time of observation is given; it is the time at which the library was asked.",
    )
    frame = table.frame.with_columns(pl.lit(when).alias(OBSERVED))
    return replace(table, frame=frame, notes=[*table.notes, note])


def problems_of(table: Table, asked_at: datetime) -> Iterator[Problem]:
    """Figures and times that cannot be right."""
    rows = zip(table.row_numbers, table.frame.iter_rows(named=True), strict=True)
    for row, cells in rows:
        yield from _of_counts(table, row, cells)
        yield from _of_time(table, row, cells[OBSERVED], asked_at)


def _of_counts(table: Table, row: int, cells: dict[str, str]) -> Iterator[Problem]:
    seats, free, used = (
        int(cells[name]) if re.fullmatch(r"\d{1,9}", cells[name]) else None
        for name in (SEATS, FREE, USED)
    )
    room = cells[ROOM]
    if seats is None:
        return
    if free is not None and free > seats:
        yield _problem(table, row, FREE, cells[FREE], "free-above-seats", "error", Words(
            f"{room} の空席数 {free} が座席数 {seats} より多くなっています。図書館のシステムを確かめてください。",
            f"{room} has {free} free seats, more than its {seats} seats. Check the library's system.",
        ))  # fmt: skip
    elif used is not None and used > seats:
        yield _problem(table, row, USED, cells[USED], "used-above-seats", "warning", Words(
            f"{room} の利用中 {used} が座席数 {seats} より多くなっています。数え方を確かめてください。",
            f"{room} has {used} seats in use, more than its {seats} seats. Check how they are counted.",
        ))  # fmt: skip
    elif free is not None and used is not None and free + used > seats:
        yield _problem(table, row, USED, cells[USED], "more-than-all-seats", "warning", Words(
            f"{room} の空席数 {free} と利用中 {used} の合計が座席数 {seats} を超えています。",
            f"{room} has {free} free seats and {used} in use, together more than its {seats} seats.",
        ))  # fmt: skip


def _of_time(table: Table, row: int, cell: str, asked_at: datetime) -> Iterator[Problem]:
    when = _iso(cell)
    if when is None:
        return
    late = asked_at - (when if when.tzinfo else when.replace(tzinfo=UTC))
    minutes = round(abs(late).total_seconds() / 60)
    if -late > FUTURE:
        yield _problem(table, row, OBSERVED, cell, "time-in-future", "error", Words(
            f"{row} 行目の観測日時が {minutes:,} 分先になっています。図書館のシステムの時計を確かめてください。",
            f"The time in row {row} lies {minutes:,} minutes ahead. Check the clock of the library's system.",
        ))  # fmt: skip
    elif late > OLD:
        yield _problem(table, row, OBSERVED, cell, "time-too-old", "warning", Words(
            f"{row} 行目は {minutes:,} 分前の値です。図書館のシステムが止まっていないか確かめてください。",
            f"The figures in row {row} are {minutes:,} minutes old. Check that the library's system runs.",
        ))  # fmt: skip


def _problem(
    table: Table, row: int, column: str, value: str, rule: str, severity: str, words: Words
) -> Problem:
    return Problem(
        rule=rule,
        severity="error" if severity == "error" else "warning",
        table=table.name,
        row=row,
        column=column,
        value=value,
        words=words,
    )
