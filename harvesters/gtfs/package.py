"""A checked timetable, or checked real-time messages, as the tables, map layers and problems of a dataset."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

import polars as pl

from harvesters import dataset
from harvesters.errors import NotTheListError
from harvesters.geojson import to_geojson
from harvesters.gtfs import geojson, schema
from harvesters.gtfs.feed import Feed
from harvesters.gtfs.findings import ROW, Findings, Severity
from harvesters.gtfs.reading import ENCODING_NAMES
from harvesters.gtfs.realtime import Message
from harvesters.source import Package, Problem, Table
from harvesters.words import Words

FIRST = (
    "stops", "routes", "trips", "stop_times", "calendar", "calendar_dates", "fare_attributes",
    "fare_rules", "shapes", "agency", "feed_info",
)  # fmt: skip
"""What people look for; the others follow by name, those of GTFS-JP at the end."""
PLAIN_NUMBER = r"^[+-]?[0-9]+(?:\.[0-9]+)?$"
ISO_DATE, ISO_TIME = "%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"
DATES_TOLD = Words(
    "表の日付は 20261101 ではなく 2026-11-01 の形です。24 時を過ぎる時刻（25:10:00 など）は文字のままです。",
    "In the tables dates are written as 2026-11-01 in place of 20261101; times after midnight such "
    "as 25:10:00 remain text.",
)


def of_timetable(feed: Feed) -> Package:
    """Every table that the feed has, stops and lines as map layers, and what was found."""
    names = sorted(filter(lambda name: feed.tables[name].columns, feed.tables), key=_place)
    if not names:
        raise NotTheListError(
            f"{feed.name} の表はどれも空です。書き出し直してください。",
            f"all tables in {feed.name} are empty; export them anew",
        )
    tables = [_table_of(feed, name) for name in names]
    tables[0].notes.append(DATES_TOLD)
    layers = {"stops": geojson.stops(feed.typed), "shapes": geojson.shapes(feed.typed)}
    return Package(
        tables=tuple(tables),
        layers={name: layer for name, layer in layers.items() if b'"Feature"' in layer},
        layer_titles={"shapes": Words("路線の形", "Shapes of lines")},
        problems=list(problems(feed.findings)),
        kind="gtfs",
    )


def _place(name: str) -> tuple[int, bool, str]:
    early = FIRST.index(name) if name in FIRST else len(FIRST)
    return early, schema.tables()[name].japanese, name


def _table_of(feed: Feed, name: str) -> Table:
    described, typed = schema.tables()[name], feed.typed[name]
    raw = feed.tables[name].get_columns()
    kept = [column for column in raw if _is_name(column.name)]
    columns = [_column(described, column, typed) for column in kept]
    frame = pl.DataFrame([texts for _, texts in columns])
    encodings = {file.name: file.encoding for file in feed.files}
    return Table(
        name=name,
        title=described.title,
        fields=tuple(field for field, _ in columns),
        key=key_of(described.key, frame),
        frame=frame,
        row_numbers=typed[ROW].to_list(),
        headings={column: column for column in frame.columns},
        encoding=ENCODING_NAMES.get(encodings[described.path], "UTF-8"),
        notes=[
            *(_left_out(described.path, one.name) for one in raw if not _is_name(one.name)),
            *_as_text(described, [field for field, _ in columns]),
        ],
    )


def _column(
    described: schema.TableSchema, raw: pl.Series, typed: pl.DataFrame
) -> tuple[dataset.Field, pl.Series]:
    """The field and its texts; a column that GTFS does not know is text."""
    known = next((field for field in described.fields if field.name == raw.name), None)
    if known is None:
        return _text_field(raw.name), raw.fill_null("")
    kind, texts = _texts(known, raw, typed[raw.name])
    return _field(known, kind), texts


def _is_name(name: str) -> bool:
    """Whether a column of PostgreSQL and of the DataStore may be called so."""
    whole = len(name.encode()) <= dataset.LONGEST_NAME
    return whole and not name.startswith("_") and '"' not in name


def _texts(field: schema.Field, raw: pl.Series, typed: pl.Series) -> tuple[str, pl.Series]:
    """The type that all values of a column have, and the values; one that is none makes it text."""
    texts = raw.fill_null("")
    if field.type == "string" or typed.null_count() > raw.null_count():
        return "string", texts
    if field.type == "date":
        return "date", typed.dt.to_string(ISO_DATE).fill_null("")
    plain = texts.filter(texts != "").str.contains(PLAIN_NUMBER).all()
    return field.type if plain else "string", texts


def _field(field: schema.Field, kind: str) -> dataset.Field:
    """Without constraints: the findings of the timetable say more, and some are warnings only."""
    told = _text_field(field.name)
    return replace(told, type=kind, title=field.title, description=field.description)


def _text_field(name: str) -> dataset.Field:
    return dataset.Field(
        name=name,
        type="string",
        title=Words(name, name),
        description=Words("", ""),
        constraints={},
        origins=(),
    )


def key_of(key: tuple[str, ...], frame: pl.DataFrame) -> tuple[str, ...]:
    """The key, where all rows have one of their own; where they have not, a finding says so."""
    if not key or not set(key) <= set(frame.columns):
        return ()
    rows = frame.select(key)
    whole = not rows.select(pl.any_horizontal(pl.all() == "").any()).item() if rows.height else True
    return key if whole and not rows.is_duplicated().any() else ()


def _left_out(path: str, name: str) -> Words:
    return Words(
        f"{path} の列「{name}」は、列名に使えない文字か長さのため公開しません。元の zip にはあります。",
        f"The column {name!r} of {path} is left out, since it cannot be called so in a database; "
        "the original zip has it.",
    )


def _as_text(described: schema.TableSchema, fields: Iterable[dataset.Field]) -> Iterator[Words]:
    """The columns that are text because a value would not be what all others are."""
    types = {field.name: field.type for field in described.fields}
    for field in fields:
        if field.type != types.get(field.name, "string"):
            yield Words(
                f"{described.path} の {field.name} には形の違う値があるため、列全体を文字として公開します。",
                f"{field.name} of {described.path} is published as text, since some of its values "
                "are of another kind.",
            )


def problems(findings: Findings) -> Iterator[Problem]:
    """Errors keep a dataset from being published; warnings and hints are shown."""
    unlisted = Counter(findings.counts)
    unlisted.subtract((found.rule, found.table, found.field) for found in findings)
    for found in findings:
        yield Problem(
            rule=found.rule,
            severity="error" if found.severity is Severity.ERROR else "warning",
            table=found.table.removesuffix(".txt"),
            row=found.row,
            column=found.field,
            value=found.value,
            words=found.words,
            more=unlisted.pop((found.rule, found.table, found.field), 0),
        )


def of_messages(messages: Iterable[Message], described: dataset.Dataset) -> Package:
    """The tables of all messages together, and where the vehicles are as a map layer."""
    sent = list(messages)
    frames = {
        "vehicles": pl.concat(message.positions for message in sent),
        "trip_updates": pl.concat(message.trip_updates for message in sent),
        "alerts": pl.concat(message.alerts for message in sent),
    }
    tables = tuple(_live_table(one, frames[one.name]) for one in described.resources)
    return Package(
        tables=tables,
        layers={"vehicles": _vehicles(tables[0])},
        problems=[problem for message in sent for problem in problems(message.findings)],
        kind="protobuf",
    )


def _live_table(resource: dataset.Resource, frame: pl.DataFrame) -> Table:
    names = [field.name for field in resource.fields]
    texts = pl.DataFrame([_written(frame[name]) for name in names])
    return Table(
        name=resource.name,
        title=resource.title,
        fields=resource.fields,
        key=key_of(resource.key, texts),
        frame=texts,
        row_numbers=range(1, frame.height + 1),
        headings={name: name for name in names},
        encoding="GTFS-Realtime",
    )


def _written(values: pl.Series) -> pl.Series:
    """Moments with their zone, numbers without exponents, nothing for what is no number."""
    if values.dtype == pl.Float64:
        texts = [_decimal(value) for value in values]
        return pl.Series(values.name, texts, dtype=pl.String)
    if values.dtype.is_temporal():
        return values.dt.to_string(ISO_TIME).fill_null("")
    return values.cast(pl.String).fill_null("")


def _decimal(value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return ""
    return re.sub(r"\.?0+$", "", f"{value:.9f}")


def _vehicles(table: Table) -> bytes:
    """Those with a place on the globe; 0 is what receivers send without reception."""
    latitude, longitude = (
        pl.col(name).cast(pl.Float64, strict=False) for name in ("latitude", "longitude")
    )
    real = latitude.is_between(-90, 90) & longitude.is_between(-180, 180)
    placed = table.frame.filter(real & (latitude != 0) & (longitude != 0))
    return to_geojson(replace(table, frame=placed), ("latitude", "longitude"))
